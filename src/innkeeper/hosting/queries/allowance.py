"""Whether an organisation's limits allow another server. Called where one is about to be wanted, inside the same
transaction; rooms that find a seat on a standing server never come here.

The limits are columns of ``orgs``, which ``accounts`` sets. That row is also the lock: of two who want the last
processors at the same time, the second one waits for the first and counts its server.
"""

from __future__ import annotations

from innkeeper.db.database import Statement, Steps
from innkeeper.db.sql import FOR_UPDATE
from innkeeper.hosting.allowance import Allowance, allowed
from innkeeper.hosting.model import ALIVE
from innkeeper.kit.clock import HOUR
from innkeeper.kit.months import month_of

_ALIVE = ", ".join(f"'{state.value}'" for state in sorted(ALIVE))


def allowance(
    app_id: str, release_id: str, now: int, *, hold: bool, cpu: float | None = None
) -> Steps[Allowance | None]:
    """How many more servers of a release its organisation may have; None where it has no such limits.

    ``hold`` until the transaction ends: for those who then want servers. One that only reads cannot hold. ``cpu``:
    processors of each, where it is not what the release says.
    """
    rows = yield Statement(
        "select o.id, o.cpus, o.cpu_hours_a_month, r.cpu from apps a join orgs o on o.id = a.org_id"
        " join releases r on r.id = $2 where a.id = $1",
        (app_id, release_id),
    )
    if not rows or (rows[0][1] is None and rows[0][2] is None):
        return None
    org_id, cpus, hours, each = rows[0]
    each = each if cpu is None else cpu
    held = used = 0.0
    if cpus is not None:
        if hold:
            yield Statement(f"select id from orgs where id = $1 {FOR_UPDATE}", (org_id,))
        sums = yield Statement(
            "select coalesce(sum(coalesce(q.cpu, r.cpu)), 0) from servers s join releases r on r.id = s.release_id"
            " left join orders q on q.server_id = s.id"
            f" join apps a on a.id = s.app_id where a.org_id = $1 and s.state in ({_ALIVE})",
            (org_id,),
        )
        held = sums[0][0]
    if hours is not None:
        sums = yield Statement(
            "select coalesce(sum(cpu_micros), 0) from usage_months where org_id = $1 and month = $2",
            (org_id, month_of(now)),
        )
        used = int(sums[0][0]) / HOUR
    return allowed(each=each, cpus=cpus, held=held, hours=hours, used_hours=used)
