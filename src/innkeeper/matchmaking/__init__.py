"""Matchmaking: how players find rooms, and each other.

``lobbies.py`` has lists of rooms to choose from. Matchmakers are the other way: players wait with a ticket
(``tickets.py``) until some who fit make a match (``matching.py`` chooses, ``matches.py`` keeps), which gets a server.
What a matchmaker runs is a setup (``setups.py``): a rulebook for the house's own matching (``rules.py``), or three
components (``components.py``) of its owner's, which run as servers (``programs.py``). Rooms are opened and servers
wanted by verbs that ``inn.py`` hands in.
"""
