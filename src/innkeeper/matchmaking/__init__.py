"""Matchmaking: how players find rooms. ``lobbies.py`` has the verbs; rooms are opened by a verb ``inn.py`` hands in."""
