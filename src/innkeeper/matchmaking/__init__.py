"""Matchmaking: how players find rooms. ``lobbies.py`` holds the verbs; it opens rooms by a verb that ``inn.py`` hands in."""
