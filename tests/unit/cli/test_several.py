"""Things are looked for until there are none: those that came late are found, and a look without end ends."""

from __future__ import annotations

import pytest

from innkeeper.cli.failures import Failure
from innkeeper.cli.several import until_none


def found(looks: list[list[str]], most: int) -> list[str] | str:
    """What is found where each look sees the next list, the last one for ever; the words of the failure."""
    left = iter(looks)
    seen: list[str] = []

    def look() -> list[str]:
        nonlocal seen
        seen = next(left, seen)
        return seen

    things: list[str] = []
    try:
        things.extend(until_none(look, most, lambda number: Failure(f"{number} left after {len(things)}")))
    except Failure as failure:
        return failure.message
    return things


@pytest.mark.parametrize(
    ("looks", "most", "result"),
    [
        ([[]], 3, []),
        ([["a", "b", "a"], []], 3, ["a", "b"]),
        ([["a"], ["a", "b"], ["b", "c"], ["c"]], 5, ["a", "b", "c"]),
        ([["a"], ["b"], ["c"], ["d", "e"]], 3, "2 left after 3"),
        ([["a"], ["b"], ["c"], []], 3, ["a", "b", "c"]),
        ([["a"], ["b"], ["c"], ["a"]], 3, ["a", "b", "c"]),  # on its way out
    ],
)
def test_looks_go_on_until_one_finds_nothing_new(looks: list[list[str]], most: int, result: object) -> None:
    assert found(looks, most) == result
