"""Runs servers as containers on a machine with Docker or Podman, here or elsewhere. Imported where one is configured.

``engine.py`` is the engine: ``link`` (with ``silence``) keeps the line, ``containers`` what is there (``records``,
``ending``, ``verdict``); ``starting`` (``spec``), ``stopping``, ``removing`` and ``usage`` are its deeds. ``readiness``
sees ports bound, by ``local``, ``shell`` or ``probing``. ``images.py`` keeps the promise about images. All speak by
``client.py``, which finds the engine at an ``endpoint``; what cannot be said in aiodocker's own words is in ``raw.py``.
"""
