"""Taking a house with you: everything that it keeps goes into one file, and comes back elsewhere with the same ids.

Called by ``cli/export.py`` and ``cli/import_.py``. ``tables.py`` says of every table what is done with it;
``leaving.py`` makes a file, ``arriving.py`` takes one in. It stands above ``inn.py`` because it reads the tables of all
wings.
"""
