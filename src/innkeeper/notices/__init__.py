"""What happened, told to those who asked: numbered events, signed webhooks, a live stream of the same.

Wings tell by ``db/outbox.py``, in the transaction in which something happens; this wing passes it on. Decided in
``docs/decisions/0012-webhooks-and-events.md``.
"""
