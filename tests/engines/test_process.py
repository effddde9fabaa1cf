"""Programs on this machine: the promise, kept by real small programs."""

from __future__ import annotations

import pytest

from .conftest import ProcessGround
from .promise import EnginePromise


@pytest.fixture
def ground(both: ProcessGround) -> ProcessGround:
    return both


class TestProcessPromise(EnginePromise):
    """The promise, with and without control groups."""
