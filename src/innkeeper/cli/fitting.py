"""Values that are checked before anything is sent, by the contract's own rules and in words for the person who typed.

Used by the commands that make something.
"""

from __future__ import annotations

from typing import Any

from .failures import Code, Failure

_SHOWN = 60  # characters of a value that does not fit: enough to know it by


def fitting(value: object, kind: Any, words: str) -> None:
    """Raise a :class:`Failure` that says ``words`` where a value is not what the contract's type takes. None is."""
    import msgspec

    if value is None:
        return
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        shown = repr(value)
        if isinstance(value, str) and len(value) > _SHOWN:
            shown = f"{len(value):,} characters that begin {value[:_SHOWN]!r}"
        raise Failure(f"{words}, not {shown}", Code.USAGE) from None


def fitting_app_name(name: str, source: str) -> None:
    """Raise a :class:`Failure` for what cannot be the name of an app; ``source`` is where it was written."""
    from innkeeper.contract.hathora.apps_v2 import AppName

    fitting(name, AppName, f"{source}: write up to 64 small letters, digits and `-`")


def fitting_build_words(build_id: str | None, build_tag: str | None) -> None:
    """The same for the options ``--build-id`` and ``--build-tag``."""
    from innkeeper.contract.hathora.builds_v3 import NewBuildId
    from innkeeper.contract.hathora.words import BuildTag

    fitting(build_id, NewBuildId, "--build-id: write up to 100 letters, digits, `_`, `.`, `-`, a letter or digit first")
    fitting(build_tag, BuildTag, "--build-tag: write up to 1000 characters")
