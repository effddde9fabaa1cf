"""Pages of lists as Edgegap numbers them, from 1. Used by the modules beside this one."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

from innkeeper.contract.edgegap.words import Pagination, Paginator

T = TypeVar("T")

#: Items of a page unless said, and at most.
USUAL, MOST = 10, 1000


class Slice(NamedTuple):
    """Which part of a list a page is."""

    number: int
    size: int

    @property
    def skip(self) -> int:
        """How many items come before it."""
        return (self.number - 1) * self.size


def slice_of(page: int | None, limit: int | None) -> Slice:
    """What is asked for. More than a thousand at once are a thousand."""
    return Slice(page or 1, min(limit or USUAL, MOST))


def paged(part: Slice, total: int) -> dict[str, Any]:
    """The fields that say where a page stands: for ``Paged`` and its kin."""
    pages = max(1, -(-total // part.size))
    following, before = part.number < pages, part.number > 1
    return {
        "total_count": total,
        "pagination": Pagination(
            number=part.number,
            next_page_number=part.number + 1 if following else None,
            previous_page_number=min(part.number - 1, pages) if before else None,
            paginator=Paginator(num_pages=pages),
            has_next=following,
            has_previous=before,
        ),
    }


def cut(part: Slice, whole: list[T]) -> list[T]:
    """The items of a page, of a list that is there as a whole."""
    return whole[part.skip : part.skip + part.size]
