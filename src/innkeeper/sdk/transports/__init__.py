"""Ways to send requests. Each module is one HTTP library, loaded when its transport sends for the first time.

The seam is two methods, ``send`` and ``close``, over the types of ``wire.py``: ``urllib3`` is behind the sync client,
``aiohttp`` behind the async one; ``httpx`` also serves httpx2; ``asgi`` calls an application without a socket; ``stub``
answers by the contract in users' tests.
"""
