"""Recognises servers by the secrets that they were started with. Called by the doors before anything else is read."""

from __future__ import annotations

from innkeeper.kit.errors import Unauthorized

from .orders import Orders, Told
from .serversecrets import ServerSecrets

_NOBODY = "this is not the secret of that server: send the one that it was started with, and nothing before it"


class Insiders:
    """Who calls from inside of a server."""

    def __init__(self, orders: Orders, secrets: ServerSecrets) -> None:
        self._orders, self.secrets = orders, secrets

    async def recognise(self, use: str, short: str, number: str, secret: str) -> Told:
        """The server that shows its secret. Raises Unauthorized, the same for one that is not there."""
        found = await self._orders.whoever(short)
        if (
            found is None
            or not (number.isascii() and number.isdecimal() and len(number) < 19)
            or not self.secrets.fits(found.ordered.server.id, use, int(number), secret)
        ):
            raise Unauthorized(_NOBODY)
        return found
