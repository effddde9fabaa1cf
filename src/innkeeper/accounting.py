"""Puts billing and mails together with what they need of the other wings. Called by ``inn.py``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from innkeeper.accounts import queries
from innkeeper.accounts.audit import Audit
from innkeeper.accounts.verifying import Verifying
from innkeeper.api.rates import Rates
from innkeeper.billing.invoices import Billing
from innkeeper.billing.model import Prices, Usage
from innkeeper.db.database import Database, Steps
from innkeeper.hosting.usage import UsageAccount
from innkeeper.kit.clock import Clock
from innkeeper.kit.ids import Chance
from innkeeper.kit.smtp import read_smtp_url
from innkeeper.settings import Settings


def billing_of(settings: Settings, db: Database, clock: Clock, chance: Chance, account: UsageAccount) -> Billing:
    """The account of every organisation, from what hosting measured, at the settings' prices."""
    audit = Audit(db, clock, chance)
    prices = Prices(
        cpu_hour=settings.cpu_hour_price,
        egress_gb=settings.egress_gb_price,
        credit=settings.monthly_credit,
        currency=settings.currency,
        due_days=settings.invoice_due_days,
    )

    async def used(org_id: str, month: int) -> Mapping[str, Usage]:
        apps = await account.month(org_id, month)
        return {app_id: Usage(one.cpu_micros, one.egress_bytes) for app_id, one in apps.items()}

    def record(org_id: str, who: str, verb: str, subject: str, detail: str) -> Callable[[], Steps[None]]:
        entry = audit.entry(org_id, who, verb, subject, detail)
        return lambda: queries.add_entry(entry)

    return Billing(
        db, clock, chance, prices, used=used, count=account.count, months_before=account.months_before, record=record
    )


def verifying_of(settings: Settings, db: Database, clock: Clock, key: bytes) -> Verifying:
    """Proof of addresses, with a way to send mails where one is set."""
    send = None
    if settings.smtp_url:
        from innkeeper.accounts.mail import mailer  # with what it stands on it takes a while to load

        send = mailer(read_smtp_url(settings.smtp_url), settings.mail_from)
    return Verifying(db, clock, key, send, settings.local_url)


def rates_of(settings: Settings, clock: Clock) -> Rates:
    """How often callers may ask."""
    return Rates(
        clock,
        lobbies=settings.lobbies_a_minute,
        logins=settings.logins_a_minute,
        requests=settings.requests_a_minute,
    )
