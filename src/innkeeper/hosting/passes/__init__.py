"""The steps of the hosting keeper's pass, one file each. Each looks at the database, acts, and can be repeated."""
