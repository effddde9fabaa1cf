"""The one road by which a signed request leaves the house: opens the secrets, signs, sends.

Called by ``keeper.py`` for events that are owed, by ``webhooks.py`` for what is only tried, and by ``calling.py`` for
callbacks, so that all sign alike.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable

from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import HouseError
from innkeeper.kit.secrets import Box

from .model import Event, Target
from .schedule import Answer
from .sending import Sender
from .signing import signed_headers

log = logging.getLogger(__name__)


class Poster:
    """Posts what is told. ``anywhere`` says of an organisation whether it may send to private addresses."""

    def __init__(self, clock: Clock, box: Box, sender: Sender, anywhere: Callable[[str], bool]) -> None:
        self._clock, self._box, self._sender, self._anywhere = clock, box, sender, anywhere

    async def post(self, target: Target, event: Event) -> Answer:
        """Make one attempt to tell of an event. Raises nothing but to be cancelled."""
        return await self.post_body(target, event.id, event.body())

    async def post_body(self, target: Target, name: str, body: bytes) -> Answer:
        """Make one attempt, signed by all secrets that are good now. ``name`` is the same at every one.

        Raises nothing but to be cancelled.
        """
        now = self._clock.now()
        try:
            secrets = [self._box.open(target.secret_sealed, place=target.place)]
        except HouseError as error:  # better not at all than with a wrong signature
            log.error("what is sent for %s cannot be signed: %s", target.place, error)
            return Answer(None, "its secret cannot be read here: rotate it")
        if target.old_secret_sealed is not None and target.old_until is not None and now < target.old_until:
            with contextlib.suppress(HouseError):  # it came from another house, with its key
                secrets.append(self._box.open(target.old_secret_sealed, place=target.place))
        headers = signed_headers(secrets, name, now, body)
        return await self._sender.send(target.url, headers, body, anywhere=self._anywhere(target.org_id))

    async def close(self) -> None:
        """Let go of all connections."""
        await self._sender.close()
