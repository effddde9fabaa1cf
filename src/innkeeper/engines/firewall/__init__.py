"""Keeps those away from this machine's ports who are not on the list of a server: nftables.

Used by ``hosting/passes/guarding.py``. ``walls.py`` says what shall stand and writes it as a script, ``nftables.py``
hands that to the kernel, ``belonging.py`` finds out whether a container engine opens its ports on this very network.
"""
