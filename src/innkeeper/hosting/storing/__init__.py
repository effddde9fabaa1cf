"""Buckets of organisations, elsewhere: how they are reached, what is put there and what is fetched from there.

Used by ``hosting/storages.py``, ``hosting/pulling.py`` and ``hosting/passes/saving.py``.
"""
