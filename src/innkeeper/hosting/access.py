"""Verbs on rules of access: which addresses reach the servers of a label. Called by the doors.

They hold for servers whose plan says that they are guarded, those that run already included; ``passes/guarding.py``
makes them stand.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network

from innkeeper.db.database import Database
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Invalid
from innkeeper.kit.ids import Chance

from .queries import access as queries
from .queries.access import Rule

#: Rules of one label.
MOST = 1000
_LONGEST_NOTE = 255
_FORM = "write addresses such as 192.0.2.0/24, or one such as 192.0.2.1/32 or 2001:db8::1/128"
#: IPv4 in the clothes of IPv6: no packet comes from there.
_MAPPED = IPv6Network("::ffff:0:0/96")


class Access:
    """Add, find and remove rules. ``changed`` is called when who may come in is another."""

    def __init__(self, db: Database, clock: Clock, chance: Chance, changed: Callable[[], None]) -> None:
        self._db, self._clock, self._chance, self._changed = db, clock, chance, changed

    async def add(
        self, org_id: str, app_name: str, label: str, cidr: str, note: str | None = None, *, active: bool = True
    ) -> Rule:
        """A new rule. Raises NotFound, Invalid for what are no addresses, LimitReached for one too many."""
        network_of(cidr)
        if note is not None and len(note) > _LONGEST_NOTE:
            raise Invalid(f"label: write at most {_LONGEST_NOTE} characters")
        rule = Rule(self._chance.hex(12), "", cidr.strip(), note, int(active), self._clock.now())
        made = await self._db.write(queries.add, org_id, app_name, label, rule, MOST)
        self._changed()
        return made

    async def all(self, org_id: str, app_name: str, label: str) -> list[Rule]:
        """The rules of a label, the oldest first. Raises NotFound."""
        return await self._db.read(queries.rules, org_id, app_name, label)

    async def get(self, org_id: str, app_name: str, label: str, rule_id: str) -> Rule:
        """One rule. Raises NotFound."""
        return await self._db.read(queries.rule, org_id, app_name, label, rule_id)

    async def remove(self, org_id: str, app_name: str, label: str, rule_id: str) -> Rule:
        """Delete a rule: what it was. Raises NotFound."""
        removed = await self._db.write(queries.remove, org_id, app_name, label, rule_id)
        self._changed()
        return removed


def network_of(cidr: str) -> IPv4Network | IPv6Network:
    """The addresses that a rule stands for. ``1.2.3.4/16`` is all of ``1.2.0.0/16``, and one without a number behind
    it is that address alone. Raises Invalid."""
    try:
        # An IPv6 address of Python's may have a zone behind it, which can be any text.
        network = None if "%" in cidr else ip_network(cidr.strip(), strict=False)
    except ValueError:
        network = None
    if network is None:
        raise Invalid(f"cidr: {_FORM}, not {cidr!r}")
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        raise Invalid(f"cidr: write an IPv4 address as such, not {cidr!r}")
    return network
