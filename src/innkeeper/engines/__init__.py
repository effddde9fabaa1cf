"""How servers are started and watched on a machine. Engines know launches and reports, not games, rooms or rows.

``base.py`` is the promise, ``process/`` runs programs on this machine, ``fake.py`` is an engine that can be told to
misbehave; ``ports.py`` hands out ports.
"""
