"""Tests of the database, on both stores."""
