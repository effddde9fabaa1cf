"""Where a webhook may send to: the rules of ``kit/destinations.py``, by the names that this wing knows them by."""

from __future__ import annotations

from innkeeper.kit.destinations import check_url, is_forbidden, is_own, is_public, literal_of, not_public

__all__ = ["check_url", "is_forbidden", "is_own", "is_public", "literal_of", "not_public"]
