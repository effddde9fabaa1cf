"""What tests of access have in common: a table of who is told what, and answers that must not give anything away.

For ``test_api_access.py`` here, and for that of Edgegap's API.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from api.wire import Answer


def read_table(file: Path) -> dict[str, dict[str, str]]:
    """Rows by the word that begins them, each by the words of the first line. Lines that begin with # are remarks."""
    lines = [line for line in file.read_text().splitlines() if line[:1] not in ("", "#")]
    names = lines[0].split()[1:]
    rows = [line.split() for line in lines[1:]]
    assert len({name for name, *_ in rows}) == len(rows)
    return {name: dict(zip(names, told, strict=True)) for name, *told in rows}


def never(real: str) -> str:
    """An id as long as this one, of nothing."""
    return str(int(real) + 1) if real.isdecimal() else real[:-4] + "none"


def alike(there: Answer, missing: Answer, ids: Mapping[str, str]) -> None:
    """Both answers are the same, byte for byte, but for the id that was asked for."""

    def seen(answer: Answer) -> tuple[int, dict[str, str], str]:
        text = answer.body.decode()
        for real in ids.values():
            text = re.sub(rf"(?<![\w-])({re.escape(real)}|{re.escape(never(real))})(?![\w-])", "ID", text)
        return answer.status, {k: v for k, v in answer.headers.items() if k != "x-request-id"}, text

    assert seen(there) == seen(missing)
