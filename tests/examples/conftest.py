"""A real Innkeeper for the examples."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inns import RunningInn, running_inn


@pytest.fixture(scope="module")
def inn() -> Iterator[RunningInn]:
    with running_inn() as inn:
        yield inn
