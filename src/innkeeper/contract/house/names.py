"""What a parameter or field of some name means wherever it stands. As ``contract/hathora/names.py``."""

from __future__ import annotations

NAMES: dict[str, str] = {
    "force": "remove it though servers live there: they end, and their rooms with them",
    "host": "those on this host alone; those of all hosts, and those that wait for one, when left out",
    "name": "the host's name",
    "params": "the body",
}
