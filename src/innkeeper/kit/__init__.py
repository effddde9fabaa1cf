"""Tools that know no game and no row. Every floor above may use them; they import nothing of the house."""
