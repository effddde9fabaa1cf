"""Hosting: apps, builds, releases, servers and rooms, and the keeper that moves them towards what is wanted.

``model.py`` says what there is and which moves are legal, ``placement.py`` decides, ``queries/`` holds the statements,
``apps.py builds.py releases.py rooms.py servers.py logs.py metrics.py`` are the verbs that doors call, ``archives/``
takes in and unpacks what builds are made of, ``keeper.py`` and ``passes/`` carry out. Wired by ``inn.py``.
"""
