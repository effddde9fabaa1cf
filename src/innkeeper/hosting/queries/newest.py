"""Which release of an app with labels serves those who name none. Called where rooms are opened, and for standing
orders.
"""

from __future__ import annotations

from innkeeper.db.database import Statement, Steps


def serving_of_labels(app_id: str) -> Steps[tuple[str, int] | None]:
    """The newest release, and its seats, that can be started and that no label has left; None where there is none."""
    rows = yield Statement(
        "select r.id, r.seats from releases r join builds b on b.key = r.build_key where r.app_id = $1"
        " and b.state = 'succeeded' and b.deleted_at is null and (r.label_id is null or exists"
        " (select 1 from labels l where l.release_id = r.id and l.deleted_at is null)) order by r.number desc limit 1",
        (app_id,),
    )
    return (rows[0][0], rows[0][1]) if rows else None
