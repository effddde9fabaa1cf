"""Where the parts of a build's archive go. Ours alone: the vendor had an object store for it, and documents no paths.

Clients use these by the links that ``create_build`` hands out and carry no other credentials; ``upload_token`` is a
signed part of the link. Declared here, answered in ``api/hathora/uploads.py``.
"""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import Content

from . import operation

_ERRORS = (400, 401, 404, 408, 422, 429, 500)


class Uploads(Resource[M]):
    """Where the parts of a build's archive go."""

    @operation(
        "PUT", "/uploads/v1/{uploadToken}/parts/{partNumber}", key="link", body="bytes", errors=_ERRORS, public=False
    )
    def put_part(self, content: Content, upload_token: str, part_number: int) -> None:
        """Send one part, whole. The header ``ETag`` of the answer names what arrived; sending it again replaces it."""
        ...

    @operation(
        "POST", "/uploads/v1/{uploadToken}/form", status=204, key="link", body="form", errors=_ERRORS, public=False
    )
    def send_form(self, content: Content, upload_token: str) -> None:
        """Send an archive whole, as the field ``file`` of a form: old pipelines do."""
        ...

    @operation(
        "POST", "/uploads/v1/{uploadToken}/complete", key="link", body="bytes", errors=_ERRORS, idempotent=True,
        public=False,
    )  # fmt: skip
    def complete(self, content: Content, upload_token: str) -> None:
        """Say that all parts have been sent: an XML list of numbers and ETags. Saying it again changes nothing."""
        ...
