"""How the next page is asked for: from an answer, the arguments of the call that brings the one after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .shape import given

#: Given an answer, the arguments to change for the next page, or None when this was the last.
Paging = Callable[[Any], dict[str, Any] | None]


def by_token(field: str) -> Paging:
    """The answer carries the next page's token in ``field``; it goes out as the parameter of the same name."""

    def follow(answer: Any) -> dict[str, Any] | None:
        token = given(getattr(answer, field))
        return None if token is None else {field: token}

    return follow


def before_last(field: str, parameter: str, full: int) -> Paging:
    """The answer is a list, newest first; the next one holds what is older than its last item.

    One of fewer than ``full`` was the last. There may be more: a server of ours sends along what shares the second of
    the last item, so that none is lost between two pages. ``field`` is the item's datetime, ``parameter`` the query
    parameter in Unix seconds.
    """

    def follow(answer: Any) -> dict[str, Any] | None:
        return {parameter: getattr(answer[-1], field).timestamp()} if len(answer) >= full else None

    return follow


def by_page() -> Paging:
    """The answer's ``pagination`` tells the number of the next page, which goes out as ``page``; null after the last.

    An answer without ``pagination`` is the only page. A number that is not past the page's own ends it too: following
    it would go round for ever.
    """

    def follow(answer: Any) -> dict[str, Any] | None:
        told: Any = given(answer.pagination)
        following = told and given(told.next_page_number)
        if not following or following <= (given(told.number) or 0):
            return None
        return {"page": following}

    return follow
