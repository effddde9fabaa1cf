"""Runs servers as programs on this machine, by a small helper program that outlives Innkeeper.

``engine.py`` is the engine, in Innkeeper's process, with ``link.py``, its line to the helper, and ``site``.
``spawner.py`` is the helper; ``servers.py`` is its work, with ``starting`` (``launching``, ``spares``), ``readiness``,
``ending``, ``adopting``, ``ledger`` and ``records``;
``kin``, ``cgroups``, ``proc``, ``sockets``, ``scratch``, ``logfile`` and ``native`` are the machine as it sees it.
``wire.py`` is what engine and helper say to each other.

The helper's modules import the standard library's light half and nothing else: it lives for weeks beside the games,
and it may be older than the Innkeeper that talks to it. For the same reason this file imports nothing.
"""
