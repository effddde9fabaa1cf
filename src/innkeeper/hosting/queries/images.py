"""Which images the house still needs. Called by ``hosting/images.py``."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from enum import StrEnum

from innkeeper.db.database import Statement, Steps
from innkeeper.db.sql import listed


class Need(StrEnum):
    """What an image is good for."""

    RUNNING = "running"  #: its build is being made
    LIVING = "living"  #: living servers run it, or are about to
    NEWEST = "newest"  #: new rooms of an app, or servers of a label, run on it
    SPARE = "spare"  #: nothing runs on it now; a release may bring it back
    NONE = "none"  #: its build is deleted or has failed


def needs(keys: Collection[str]) -> Steps[Mapping[str, Need]]:
    """What the images of these builds are good for; those that are not on record are left out."""
    rows = yield Statement(
        "select b.key, case"
        " when b.state in ('created', 'running') then 'running'"
        " when exists (select 1 from releases r join servers s on s.release_id = r.id where r.build_key = b.key"
        " and s.state not in ('stopped', 'failed')) then 'living'"
        " when b.deleted_at is not null or b.state = 'failed' then 'none'"
        " when exists (select 1 from releases r join apps a on a.id = r.app_id where r.build_key = b.key"
        " and a.deleted_at is null and r.number = (select max(number) from releases where app_id = r.app_id))"
        " then 'newest'"
        " when exists (select 1 from releases r join labels l on l.release_id = r.id where r.build_key = b.key"
        " and l.deleted_at is null) then 'newest' else 'spare' end"
        f" from builds b where b.key in ({listed('$1')})",
        (json.dumps(sorted(keys)),),
    )
    return {row[0]: Need(row[1]) for row in rows}
