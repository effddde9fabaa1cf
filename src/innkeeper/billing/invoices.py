"""Verbs on accounts and invoices, and the pass that makes invoices. Called by the doors; the pass by ``inn.py``.

An account of the month that runs is worked out when somebody asks, at the prices of that moment. When a month is over
its account becomes an invoice, at the prices of *that* moment, which is kept and never changed.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal

from innkeeper.db.database import Database, Steps
from innkeeper.kit.clock import HOUR, MINUTE, Clock
from innkeeper.kit.errors import NotFound
from innkeeper.kit.ids import Chance
from innkeeper.kit.months import month_begin, month_name, month_of

from . import queries
from .model import Invoice, Item, Prices, Usage
from .prices import balance, cents, items_of, total

log = logging.getLogger(__name__)

#: What an organisation's apps used in a month, by app.
UsedOf = Callable[[str, int], Awaitable[Mapping[str, Usage]]]
#: Counts all usage up to now.
Count = Callable[[], Awaitable[object]]
#: Organisations and months before one, in which anything was used.
MonthsBefore = Callable[[int], Awaitable[Sequence[tuple[str, int]]]]
#: Steps that write a line of the record: organisation, who, verb, subject, detail.
Record = Callable[[str, str, str, str, str], Callable[[], Steps[None]]]

#: How long after a month's end, or after a start of the house, invoices are made: by then late measurements are in,
#: and it is known which servers ended while the house was closed. In microseconds.
SETTLED = 10 * MINUTE
#: Seconds between two looks whether a month is over.
_EVERY = 300.0
_DAY = 24 * HOUR


class Billing:
    """The account of every organisation."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        chance: Chance,
        prices: Prices,
        *,
        used: UsedOf,
        count: Count,
        months_before: MonthsBefore,
        record: Record,
    ) -> None:
        self._db, self._clock, self._chance = db, clock, chance
        self._used, self._count, self._months_before, self._record = used, count, months_before, record
        self._opened = clock.now()
        self.prices = prices

    async def usage(self, org_id: str, month: int) -> Mapping[str, Usage]:
        """What each app of an organisation used in a month, up to now."""
        return await self._used(org_id, month)

    async def account(self, org_id: str, month: int | None = None) -> tuple[Item, ...]:
        """The lines of a month, the running one unless told, at the prices of now."""
        apps = await self._used(org_id, month_of(self._clock.now()) if month is None else month)
        return items_of(sum(apps.values(), Usage()), self.prices)

    async def balance(self, org_id: str) -> Decimal:
        """What is left of this month's credit, less what is owed; see ``prices.balance``."""
        return balance(await self.account(org_id), self.prices, await self._db.read(queries.owed, org_id))

    async def invoices(self, org_id: str | None) -> list[Invoice]:
        """Invoices of an organisation, or of all (None), the newest month first."""
        return await self._db.read(queries.invoices, org_id)

    async def invoice(self, invoice_id: str) -> Invoice:
        """An invoice, whosever it is. Raises NotFound."""
        found = await self._db.read(queries.invoice, invoice_id)
        if found is None:
            raise NotFound(f"there is no invoice {invoice_id}")
        return found

    async def paid(self, invoice_id: str, by: str) -> Invoice:
        """Write down that an invoice was paid; one that was already stays as it is. Raises NotFound."""
        invoice = await self.invoice(invoice_id)
        detail = f"{month_name(invoice.month)}, {invoice.due} {invoice.currency}"
        note = self._record(invoice.org_id, by, "invoice.paid", invoice_id, detail)
        await self._db.write(_set_paid, invoice_id, self._clock.now(), by, note)
        return await self.invoice(invoice_id)

    async def keep(self) -> float:
        """Make the invoices of months that are over and have none. Returns the seconds until the next look."""
        now = self._clock.now()
        month = month_of(now)
        if now < max(self._opened, month_begin(month)) + SETTLED:
            return _EVERY
        await self._count()
        made = await self._db.read(queries.made)
        for org_id, past in await self._months_before(month):
            if (org_id, past) not in made:
                await self._make(org_id, past)
        return _EVERY

    async def _make(self, org_id: str, month: int) -> None:
        items, now = await self.account(org_id, month), self._clock.now()
        due = cents(total(items))
        invoice = Invoice(
            f"inv-{self._chance.uuid()}", org_id, month, now, now + self.prices.due_days * _DAY, self.prices.currency,
            items, due, None if due else now, None if due else "",
        )  # fmt: skip
        if await self._db.write(queries.add_invoice, invoice):
            log.info("invoice %s: %s for %s, %s %s", invoice.id, month_name(month), org_id, due, invoice.currency)


def _set_paid(invoice_id: str, now: int, by: str, note: Callable[[], Steps[None]]) -> Steps[None]:
    if (yield from queries.set_paid(invoice_id, now, by)):
        yield from note()
