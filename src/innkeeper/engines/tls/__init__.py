"""TLS ended for game servers that speak plain TCP: players dial a port of this machine, a program of ours decrypts.

``terminator.py`` is that program, which outlives Innkeeper; ``link.py`` is Innkeeper's line to it, used by
``hosting/tls.py``; ``identity.py`` has the certificate it shows. Why there is one: ``docs/how-to/tls.md``.
"""
