"""Doors: HTTP in, the wings' verbs out. One folder per vendor, with the same file names as in ``contract``.

``app.py`` is the ASGI application, ``router.py`` finds the operation, ``serve.py`` reads a request as its declaration
says and writes the answer, ``visits.py`` is what a handler is given, ``faults.py`` turns refusals into statuses.
"""
