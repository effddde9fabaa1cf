"""Proof that an e-mail address is its user's: a mail with a signed link. Called by the management door and by a page;
its pass, which sends the mails, is run by ``inn.py``.

Anybody may ask for any address, so nothing tells whether it is a user's: asking writes the same row and answers the
same for all, mails go out later, and those for strangers not at all. The row outlives a crash; a mail whose sending
was cut off is sent again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from innkeeper.db.database import Database, Steps
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import HOUR, MINUTE, SECOND, Clock
from innkeeper.kit.errors import Invalid, NotSetUp, RateLimited
from innkeeper.kit.secrets import derive_key, sign, verify

from . import proofs
from .invites import tidy_email

if TYPE_CHECKING:
    from .mail import SendMail

log = logging.getLogger(__name__)

#: How long a link is good for, in microseconds.
LINK_LIFE = 24 * HOUR
#: Between two mails to one address, in microseconds.
PAUSE = 5 * MINUTE
#: How long sending is tried.
_TRIED = HOUR
#: How many addresses can wait at a time.
MOST_WAITING = 10_000
_RETRY = 30.0
_AT_ONCE = 1000


class Verifying:
    """Asks for mails, sends them, and believes their links. ``base_url`` is where players and people reach the house:
    a setting, never what a request says of itself, for else the mail would lead wherever a stranger wants.
    """

    def __init__(self, db: Database, clock: Clock, key: bytes, send: SendMail | None, base_url: str) -> None:
        self._db, self._clock, self._send, self._base_url = db, clock, send, base_url.rstrip("/")
        self._key = derive_key(key, "verification links")
        self.bell = Bell()

    async def ask(self, user_id: str) -> None:
        """Somebody wants a mail sent to this address. What is no address is nobody's, and nothing happens.

        Raises NotSetUp where the house has no way to send mails, RateLimited where one was asked for just now.
        """
        if self._send is None:
            raise NotSetUp("this Innkeeper sends no mails: its operator has to set smtp_url")
        try:
            email = tidy_email(user_id)
        except Invalid:
            return
        now = self._clock.now()
        asked_at = await self._db.write(_ask, email, now)
        if asked_at is not None:
            wait = (asked_at + PAUSE - now) / SECOND
            raise RateLimited(f"a mail to this address was asked for just now; try again in {wait:.0f} s", wait)
        self.bell.ring()

    async def confirm(self, token: str) -> str:
        """Somebody has followed the link: the address is its user's, which is told. Raises Unauthorized."""
        email = self.read(token)
        await self._db.write(proofs.set_verified, email, self._clock.now())
        return email

    def read(self, token: str) -> str:
        """The address that a link is about. Raises Unauthorized for one that is not ours or too old."""
        return verify(self._key, token, self._clock.now())

    def link(self, email: str) -> str:
        """The link that proves an address."""
        return f"{self._base_url}/verify/{sign(self._key, email, self._clock.now() + LINK_LIFE)}"

    async def keep(self) -> float | None:
        """Send the mails that are due, and forget who asked long ago. Returns the seconds until the next try."""
        now = self._clock.now()
        await self._db.write(proofs.forget_verifications, now - PAUSE, now - _TRIED)
        failed = False
        for email, known in await self._db.read(proofs.verifications_due, _AT_ONCE):
            failed = not await self._send_to(email, known) or failed
        if failed:
            return _RETRY
        waiting = await self._db.read(proofs.verifications_waiting)
        return 1.0 if waiting.due else PAUSE / SECOND if waiting.all else None

    async def _send_to(self, email: str, known: bool) -> bool:
        if known and self._send is not None:
            text = (
                "Somebody, perhaps you, asked to prove that this address is yours.\n\n"
                f"If it was you, open this page and press the button, within a day:\n\n{self.link(email)}\n\n"
                "If not, do nothing.\n"
            )
            try:
                await self._send(email, "Please confirm your e-mail address", text)
            except Exception as error:  # of the net, of the other side, of the address: all the same to us
                log.warning("a mail could not be sent, and is tried again: %s", error)
                return False
        await self._db.write(proofs.set_verification_sent, email, self._clock.now())
        return True


def _ask(email: str, now: int) -> Steps[int | None]:
    """Note that a mail is wanted. When one was asked for too short a time ago, that time, and nothing is noted."""
    before = yield from proofs.verification_asked(email)
    if before is not None and before > now - PAUSE:
        return before
    waiting = yield from proofs.verifications_waiting()
    if waiting.all >= MOST_WAITING:
        return now - PAUSE + MINUTE  # a flood; it is over when those who wait were seen to
    yield from proofs.put_verification(email, now)
    return None
