"""How a Python name is spelled on the wire, which is a vendor's convention. Used by declarations and their readers."""

from __future__ import annotations


def camel(name: str) -> str:
    """``room_id`` -> ``roomId``."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def snake(name: str) -> str:
    """``room_id`` -> ``room_id``; a name that is a word of Python ends with an underscore here: ``not_`` -> ``not``."""
    return name.rstrip("_")
