"""The archives of builds: taken in, in parts, and unpacked. Called by ``hosting/builds.py`` and the door for uploads.

``uploads.py`` keeps the parts (``partlist.py`` reads the list that ends them), ``unpacking.py`` makes a directory of
them, by ``inflow.py`` and ``tarball.py``, which read, ``manifest.py``, which decides, and ``flushing.py``, which brings
it to the disk; ``procfile.py`` says how the program in it is started. ``disk.py`` is small verbs that they share.
"""
