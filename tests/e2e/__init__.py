"""End to end: a real Innkeeper, real game servers, and judges that nobody here wrote.

``games.py`` has what is deployed and how players ask it; ``programs.py`` tells which programs of an Innkeeper run.
"""
