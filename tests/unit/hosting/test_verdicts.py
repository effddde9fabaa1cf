"""Verdicts on builds: when one is tried to be written again, and what is said of a build that nobody finished."""

from __future__ import annotations

from typing import Any

import pytest

from innkeeper.hosting.model import Build, BuildKind, BuildState
from innkeeper.hosting.verdicts import again_in, overdue

BUILD: dict[str, Any] = {
    "key": "k", "org_id": "o", "id": "b", "kind": BuildKind.ARCHIVE, "tag": None, "upload_bytes": 1, "bytes": 0,
    "content_hash": None, "detail": "", "command": None, "created_at": 0, "created_by": "me", "started_at": None,
    "finished_at": None, "deleted_at": None, "until": 9,
}  # fmt: skip


@pytest.mark.parametrize(
    ("failures", "chance", "now", "until", "seconds"),
    [
        (1, 0.0, 0, 10, 0.025),  # at once, nearly
        (1, 0.5, 0, 10, 0.0375),
        (2, 0.0, 0, 10, 0.05),  # then twice as long each time
        (7, 0.0, 0, 10, 1.6),
        (8, 0.0, 0, 10, 2.5),  # up to five seconds
        (10_000, 0.5, 9, 10, 3.75),
        (1, 0.5, 10, 10, None),  # until the deadline, and no further
        (1, 0.5, 11, 10, None),
        (1, 0.5, 0, None, None),
    ],
)
def test_a_verdict_is_tried_again_until_the_deadline(
    failures: int, chance: float, now: int, until: int | None, seconds: float | None
) -> None:
    assert again_in(failures, chance, now, until) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(("state", "says"), [(BuildState.CREATED, "upload"), (BuildState.RUNNING, "run was not")])
def test_what_is_overdue_has_failed_and_the_reason_fits(state: BuildState, says: str) -> None:
    verdict = overdue(Build(state=state, **BUILD))
    assert verdict.state is BuildState.FAILED
    assert says in verdict.detail
