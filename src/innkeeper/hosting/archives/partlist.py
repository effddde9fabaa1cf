"""Reading the list of parts that ends an upload in parts, in S3's XML. Offered to others by ``uploads.py``."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from innkeeper.kit.errors import TooLarge, Unreadable

MOST_PARTS = 10_000
_MOST_BYTES = 2 * 1024 * 1024  # 10,000 parts with room to spare


def parse_complete(xml: bytes) -> list[tuple[int, str]]:
    """The part numbers and ETags of a ``CompleteMultipartUpload`` document, in the order of numbers, ETags unquoted.

    Namespaces, white space and the order of parts do not matter. Raises :class:`Unreadable` for what is not such a
    document. Document types are refused before the parser sees them, in the one encoding that is taken: there are
    no entities to expand.
    """
    if len(xml) > _MOST_BYTES:
        raise TooLarge(f"The list of parts has more than {_MOST_BYTES} bytes.")
    try:
        text = xml.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("The list of parts is not UTF-8.") from None
    if "<!" in text:
        raise Unreadable("The list of parts has a document type or comments; plain elements are taken only.")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  # without a DOCTYPE there is nothing to expand or to fetch
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise Unreadable(f"The list of parts is not XML: {error}.") from None
    if _local(root) != "CompleteMultipartUpload":
        raise Unreadable(f"The list of parts is a <{_local(root)[:50]}>; a <CompleteMultipartUpload> is expected.")
    parts = [_part(element) for element in root if _local(element) == "Part"]
    if not parts:
        raise Unreadable("The list of parts is empty: name each part with <Part><PartNumber/><ETag/></Part>.")
    return sorted(parts)


def _part(element: ElementTree.Element) -> tuple[int, str]:
    texts = {_local(child): (child.text or "").strip() for child in element}
    number, etag = texts.get("PartNumber", ""), texts.get("ETag", "").strip('"').strip()
    if not re.fullmatch(r"[0-9]{1,5}", number) or not 1 <= int(number) <= MOST_PARTS:
        raise Unreadable(f"A part of the list has the number `{number[:50]}`; 1 to {MOST_PARTS} are taken.")
    if not etag:
        raise Unreadable(f"Part {number} of the list has no ETag: name the one that its upload was answered with.")
    return int(number), etag


def _local(element: ElementTree.Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]
