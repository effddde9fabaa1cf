"""The wire: what can be said to each API, declared once. Server, clients, documents and tests are made from it.

``operation.py`` declares, ``plan.py`` compiles a declaration into where each value travels, ``resource.py`` shows it
to users with the right types, ``words.py`` and ``shape.py`` are the kinds of values, ``errors.py`` what a call raises,
``openapi.py`` writes the document (``comments.py`` finds its descriptions in the source).
The folders are the vendors'; their words never leave this package and ``api``.
"""
