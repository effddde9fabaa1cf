"""Takes the parts of builds' archives. Declared in ``contract/hathora/uploads.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator

from innkeeper.api.forms import file_in
from innkeeper.api.serve import implements
from innkeeper.api.tolerance import AsSpelled
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.uploads import Uploads
from innkeeper.contract.shape import Content
from innkeeper.hosting.archives.partlist import parse_complete
from innkeeper.kit.errors import TooLarge

#: The list of parts of the largest upload there can be is shorter than this.
_MOST_LIST = 4 << 20
#: In these very letters: a client of the vendor's looks for a line that begins with ``ETag:``.
_ETAG = AsSpelled(b"ETag")


@implements(Uploads.put_part)
async def put_part(visit: Visit, content: Content, upload_token: str, part_number: int) -> None:
    key = visit.wings.links.read(upload_token)
    etag = await visit.wings.intake.take_part(key, part_number, pieces_of(content))
    visit.answer_headers.append((_ETAG, etag.encode()))


@implements(Uploads.send_form)
async def send_form(visit: Visit, content: Content, upload_token: str) -> None:
    key = visit.wings.links.read(upload_token)
    form = file_in(visit.headers.get(b"content-type", b""), pieces_of(content))
    visit.answer_headers.append((_ETAG, (await visit.wings.intake.take_whole(key, form)).encode()))


@implements(Uploads.complete)
async def complete(visit: Visit, content: Content, upload_token: str) -> None:
    key = visit.wings.links.read(upload_token)
    xml = b""
    async for piece in pieces_of(content):
        xml += piece
        if len(xml) > _MOST_LIST:
            raise TooLarge("the list of parts is too long")
    await visit.wings.intake.complete(key, parse_complete(xml))


async def pieces_of(content: Content) -> AsyncIterator[bytes]:
    """A body piece by piece, also where it was handed in whole."""
    if isinstance(content, bytes):
        yield content
        return
    async for piece in content:
        yield piece
