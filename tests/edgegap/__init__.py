"""Edgegap's API as a whole: who may, whether every answer is as documented, and lives of clients."""
