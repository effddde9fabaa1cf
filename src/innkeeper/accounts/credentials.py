"""``credentials.json``: what somebody on this machine needs to call Innkeeper. Written by ``founding.py``, read by the
command line.

The file is private (mode 0600), whole or not there, and has the keys ``url``, ``orgId`` and ``token``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from innkeeper.kit.errors import Invalid
from innkeeper.kit.secrets import read_private, write_private

FILE = "credentials.json"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where Innkeeper is, and a token for it."""

    url: str
    org_id: str
    token: str = field(repr=False)


def read_credentials(folder: Path) -> Credentials | None:
    """What the folder's file says; None where there is no file. Raises ``Invalid`` for one that says something else."""
    path = folder / FILE
    values: list[Any] = []
    try:
        said = json.loads(read_private(path))
        values = [said[key] for key in ("url", "orgId", "token")]
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        pass  # and no cause is chained: its text may hold what the file holds
    if not values or not all(isinstance(value, str) and value for value in values):
        raise Invalid(f"{path} must be a JSON object with the texts url, orgId and token; mend it or move it away")
    return Credentials(*values)


def write_credentials(folder: Path, new: Credentials, *, replace: bool) -> bool:
    """Write the folder's file. Without ``replace`` a file that is there already stays, and False is returned."""
    said = {"url": new.url, "orgId": new.org_id, "token": new.token}
    return write_private(folder / FILE, json.dumps(said, indent=2).encode() + b"\n", replace=replace)
