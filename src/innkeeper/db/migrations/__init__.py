"""The tables, as numbered files of statements for both stores. ``db/migrate.py`` runs them at start.

A file that was published is never changed: what comes later is a new file.
"""
