"""Takes the parts of builds' archives. Declared in ``contract/hathora/uploads.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.uploads import Uploads
from innkeeper.contract.shape import Content
from innkeeper.hosting.archives.partlist import parse_complete
from innkeeper.kit.errors import TooLarge

#: The list of parts of the largest upload there can be is shorter than this.
_MOST_LIST = 4 << 20


@implements(Uploads.put_part)
async def put_part(visit: Visit, content: Content, upload_token: str, part_number: int) -> None:
    key = visit.wings.links.read(upload_token)
    etag = await visit.wings.builds.take_part(key, part_number, pieces_of(content))
    # In this very case: a client of the vendor's looks for a line that begins with `ETag:`.
    visit.answer_headers.append((b"ETag", etag.encode()))


@implements(Uploads.complete)
async def complete(visit: Visit, content: Content, upload_token: str) -> None:
    key = visit.wings.links.read(upload_token)
    xml = b""
    async for piece in pieces_of(content):
        xml += piece
        if len(xml) > _MOST_LIST:
            raise TooLarge("the list of parts is too long")
    await visit.wings.builds.complete_upload(key, parse_complete(xml))


async def pieces_of(content: Content) -> AsyncIterator[bytes]:
    """A body piece by piece, also where it was handed in whole."""
    if isinstance(content, bytes):
        yield content
        return
    async for piece in content:
        yield piece
