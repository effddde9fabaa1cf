"""Finds the file in a form (``multipart/form-data``) while it arrives. Called by doors that take archives by forms.

Forms come from strangers: their heads are bounded, and of everything but the file nothing is kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from innkeeper.kit.errors import Invalid

#: Names that clients give the field. S3's form, which one operation imitates, says ``file`` too.
_FIELD = "file"
_MOST_FIELDS = 100


async def file_in(content_type: bytes, pieces: AsyncIterator[bytes], *, required: bool = True) -> AsyncIterator[bytes]:
    """The bytes of the form's field ``file``, as they come. Raises Invalid for what is no form, or has no such field.

    ``content_type`` is the header's value. The form is read to its end, so that a torn one is noticed. One in which the
    file is not ``required`` may have no field at all.
    """
    import multipart

    kind, options = multipart.parse_options_header(content_type.decode("latin-1"))
    boundary = options.get("boundary", "")
    if kind != "multipart/form-data" or not boundary:
        raise Invalid("the body must be a form (multipart/form-data, with its boundary) with the archive as its file")
    found = inside = False
    try:
        parser = multipart.PushMultipartParser(boundary, max_segment_count=_MOST_FIELDS)
        async for piece in pieces:
            if not piece or parser.closed:
                continue
            for event in parser.parse(piece):
                if isinstance(event, multipart.MultipartSegment):
                    inside = not found and event.name == _FIELD
                    found = found or inside
                elif event is None:
                    inside = False
                elif inside:
                    yield bytes(event)
        parser.close()
    except multipart.MultipartError as error:
        raise Invalid(f"the form cannot be read: {error}") from None
    if not found and required:
        raise Invalid(f"the form has no field called {_FIELD}: send the archive in it")
