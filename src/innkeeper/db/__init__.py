"""The database: SQLite in one file by default, PostgreSQL by URL. Knows no wing; wings hand it their statements.

``database.py`` is what wings see, ``sqlite.py`` and ``postgres.py`` the two stores, ``batcher.py`` lets requests that
wait together share one transaction, ``migrations/`` the tables.
"""
