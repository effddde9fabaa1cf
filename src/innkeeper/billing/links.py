"""Signed links to an invoice and to an organisation's invoices: who holds one may read that, for a while, and no more.

Made by the billing door, read by ``api/linked_pages.py``.
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from innkeeper.kit.clock import HOUR, Clock
from innkeeper.kit.errors import Invalid
from innkeeper.kit.secrets import derive_key, sign, verify

#: How long a link to an invoice is good for, in microseconds.
INVOICE_LIFE = 24 * HOUR
#: How long a link to the list of invoices is.
PORTAL_LIFE = HOUR
#: The longest address to go back to.
MOST_RETURN = 2048


class BillingLinks:
    """Makes and reads the token inside such a link."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._invoice, self._portal = derive_key(key, "invoice links"), derive_key(key, "portal links")
        self._clock = clock

    def invoice(self, invoice_id: str) -> str:
        """A token that shows one invoice."""
        return sign(self._invoice, invoice_id, self._clock.now() + INVOICE_LIFE)

    def read_invoice(self, token: str) -> str:
        """The invoice's id. Raises Unauthorized for a token that is not ours or too old."""
        return verify(self._invoice, token, self._clock.now())

    def portal(self, org_id: str, return_url: str) -> str:
        """A token that lists an organisation's invoices and leads back. Raises Invalid for an address that is not one
        of the web: others may be programs.
        """
        return sign(self._portal, json.dumps([org_id, checked_return(return_url)]), self._clock.now() + PORTAL_LIFE)

    def read_portal(self, token: str) -> tuple[str, str]:
        """The organisation and where to go back to. Raises Unauthorized."""
        org_id, return_url = json.loads(verify(self._portal, token, self._clock.now()))
        return org_id, return_url


def checked_return(url: str) -> str:
    """An address that a browser may be led to: ``http`` or ``https`` and a host. Raises Invalid."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    plain = all(33 <= ord(character) < 127 and character not in '"<>\\^`{|}' for character in url)
    if not good or not plain or len(url) > MOST_RETURN:
        raise Invalid(
            f"returnUrl: must be a URL such as https://example.org/account, of {MOST_RETURN} characters at most"
        )
    return url
