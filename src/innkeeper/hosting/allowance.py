"""How many more servers an organisation's limits allow. Pure; called by ``queries/allowance.py``."""

from __future__ import annotations

from dataclasses import dataclass

#: Sizes have two decimals and are kept as binary fractions: ten times 0.1 must fit into 1.
_TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many servers more, and why not more: a clause for people."""

    servers: int
    why: str


def allowed(
    *, each: float, cpus: float | None, held: float, hours: float | None, used_hours: float
) -> Allowance | None:
    """How many servers of ``each`` so many processors may be started; None where no limit says anything.

    ``cpus`` are the processors that all servers together may have, of which ``held`` are taken; ``hours`` the processor
    hours that may be used in a month, of which ``used_hours`` are gone.
    """
    if hours is not None and used_hours >= hours - _TINY:
        return Allowance(0, f"the {hours:g} processor hours that the organisation may use this month are used up")
    if cpus is None:
        return None
    count = max(0, int((cpus - held) / each + _TINY)) if each > 0 else 0
    return Allowance(
        count,
        f"the organisation may use {cpus:g} processors; its servers have {held:g}, and one more takes {each:g}",
    )
