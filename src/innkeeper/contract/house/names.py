"""What a parameter or field of some name means wherever it stands. As ``contract/hathora/names.py``."""

from __future__ import annotations

NAMES: dict[str, str] = {
    "force": "remove it though servers live there: they end, and their rooms with them",
    "name": "the host's name",
    "params": "the body",
}
