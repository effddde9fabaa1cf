"""``innkeeper deploy``: what the house would refuse is told before anything is packed, sent or made."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import EXAMPLE, Line


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ("--requested-memory-mb", "99999"),
            "requestedMemoryMB: the organisation's servers may have 16384 MiB at most",
        ),
        (("--fleet-id", "fleet-x"), "fleetId: there is no fleet fleet-x"),
        (("--requested-memory-mb", "99999", "--fleet-id", "fleet-x"), "16384 MiB at most; fleetId: there is no fleet"),
    ],
)
def test_what_the_house_would_refuse_is_told_before_anything_is_packed(
    innkeeper: Line, deployed: dict[str, Any], options: tuple[str, ...], told: str
) -> None:
    builds = innkeeper.json("builds", "list")
    for more in (("--app", "first"), ("--app", "first", "--from-latest"), ("--app", "brand-new", "--create-app")):
        said = innkeeper("deploy", EXAMPLE, *more, *options, code=1).stderr
        assert told in said
        assert "Packed" not in said
    assert innkeeper.json("builds", "list") == builds
    assert "brand-new" not in innkeeper("apps", "list").stdout
