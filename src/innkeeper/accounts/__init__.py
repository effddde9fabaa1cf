"""The accounts wing: who may do what. Organisations, their people and tokens, players' logins, and what was changed.

``model.py`` and ``scopes.py`` are the words, ``queries.py`` the statements; the verbs are ``founding.py`` (first
start), ``callers.py`` (whose token is this?), ``tokens.py``, ``organisations.py``, ``invites.py``, ``players.py`` with
``google.py``, and ``audit.py``. Doors call them; they know no HTTP.
"""
