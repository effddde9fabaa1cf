"""Writes ``docs/reference/<api>-operations.md``: every operation and model, from the declarations.

``python -m innkeeper.contract.reference --write`` in the repository writes the pages; ``--check`` fails when they are
stale, as a test does. ``meaning`` is used by the page ``/docs`` as well.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from .comments import comments_of
from .errors import error_for
from .openapi import kinds_in
from .operation import Api, Declared
from .shape import PATTERN_END, UnsetType

#: The APIs that have a page.
APIS = ("hathora", "edgegap", "house")
_WIDE = 100  # characters of a signature in one line

_KEYS = {
    "org": "an organisation's token",
    "player": "a player's token",
    "none": "no credentials",
    "server": "a game server's own secret",
    "link": "nothing but the link",
}

_HEAD = """# {title}: operations and models

Written from the declarations by `python -m innkeeper.contract.reference --write`; do not edit. What a client is, and
what every call has besides (`.raw`, `.pages`, `.options`, errors): [the SDK](sdk.md).

An operation is a method of a group of the client: `client.{example}(...)`, awaited for the async one. A `ByteStream` is
entered: `with call(...) as log`, or `async with await call(...) as log`. A parameter that
is `GLOBAL` by default is taken from the client where the call leaves it out. Models are given by name, every field of
them: `{model}(...)`. A field that may be `UNSET` can be left out, and is left out by the server where there is nothing
to tell. Names are as in Python; on the wire `room_id` is `roomId`, and exceptions are noted. A `datetime` has a time
zone.

"""


def page(api: Api) -> str:
    """The page of one API."""
    groups = {attribute: _operations(api, attribute) for attribute in api.resources}
    groups = {attribute: operations for attribute, operations in groups.items() if operations}
    example, model = next(
        (".".join(filter(None, (api.within, attribute, operation.name))), operation.plan.body.type.__name__)
        for attribute, operations in groups.items()
        for operation in operations
        if operation.plan.body is not None
    )
    models = _models([operation for operations in groups.values() for operation in operations])
    homes = {api.resource(attribute).__module__ for attribute in groups}
    shared = [kind for kind in models if kind.__module__ not in homes]
    contents = [f"- [{attribute}](#{attribute}): {_about(api, attribute)}" for attribute in groups]
    contents += ["- [Shared models](#shared-models)"] if shared else []
    parts = [_HEAD.format(title=api.title, example=example, model=model) + "\n".join([*contents, ""])]
    for attribute, operations in groups.items():
        module = api.resource(attribute).__module__
        parts.append(f"\n## {attribute}\n\n{_about(api, attribute)}\n")
        own = [kind for kind in models if kind.__module__ == module]
        if own:
            parts.append(f"Its models are in `{module}`: {', '.join(_link(kind) for kind in own)}.\n")
        parts += [_operation(api, attribute, operation) for operation in operations]
        parts += [_model(api, kind) for kind in own]
    if shared:
        parts.append(f"\n## Shared models\n\nIn `{api.package}.words`.\n")
    parts += [_model(api, kind) for kind in shared]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts))


def meaning(api: Api, owner: str, name: str) -> str:
    """What a parameter (of the method ``owner``) or field (of the model ``owner``) means by its name; may be empty."""
    names: dict[str, str] = import_module(f"{api.package}.names").NAMES
    return names.get(f"{owner}.{name}") or names.get(name, "")


def spelled(hint: Any) -> str:
    """A type as one writes it in Python, without its limits."""
    origin, arms = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return spelled(arms[0])
    if origin in (Union, UnionType):
        return " | ".join(spelled(arm) for arm in arms)
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arms))}]"
    if origin is not None:
        return f"{origin.__name__}[{', '.join(spelled(arm) for arm in arms)}]"
    return "None" if hint in (None, NoneType) else str(hint.__name__)


def limits(hint: Any) -> str:
    """What is checked of a value besides its type: ``1 to 100 characters``."""
    found: list[str] = []
    for arm in get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,):
        if get_origin(arm) is not Annotated:
            continue
        kind, *metas = get_args(arm)
        for meta in metas:
            if isinstance(meta, msgspec.Meta):
                thing = " characters" if kind is str else ""
                found += _span(meta.min_length, meta.max_length, thing)
                found += _span(meta.ge, meta.le, "")
                if meta.pattern:
                    found.append(f"`{meta.pattern.replace(PATTERN_END, '$')}`")
    return ", ".join(found)


def _span(least: Any, most: Any, thing: str) -> list[str]:
    if least is None and most is None:
        return []
    if most is None:
        return [f"{least:,}{thing} or more"]
    return [f"at most {most:,}{thing}" if least is None else f"{least:,} to {most:,}{thing}"]


def _operations(api: Api, attribute: str) -> list[Declared]:
    members = vars(api.resource(attribute)).values()
    return [each for each in members if isinstance(each, Declared) and each.public and each.id not in api.not_yet]


def _about(api: Api, attribute: str) -> str:
    return _prose(api.resource(attribute).__doc__)


def _prose(text: str | None) -> str:
    paragraphs = inspect.cleandoc(text or "").replace("``", "`").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _first(text: str | None) -> str:
    sentence, *_ = _prose(text).split(". ")
    return sentence[:1].lower() + sentence[1:].removesuffix(".")


def _models(operations: Sequence[Declared]) -> list[type[Any]]:
    found: dict[type[Any], None] = {}
    for operation in operations:
        answer = [] if operation.streams else [operation.plan.returns]
        for hint in [*(parameter.type for parameter in operation.plan.parameters), *answer]:
            found.update(dict.fromkeys(kinds_in(hint)))
    return list(found)


def _signature(attribute: str, operation: Declared) -> str:
    signature = inspect.signature(operation.function, eval_str=True)
    words, starred = list[str](), False
    attribute = f"{operation.api.within}.{attribute}" if operation.api.within else attribute
    for parameter in list(signature.parameters.values())[1:]:
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            words.append("*")
            starred = True
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        words.append(f"{parameter.name}: {spelled(parameter.annotation)}{default}")
    answer = "ByteStream" if operation.streams else spelled(signature.return_annotation)
    line = f"{attribute}.{operation.name}({', '.join(words)}) -> {answer}"
    if len(line) <= _WIDE:
        return line
    return f"{attribute}.{operation.name}(\n" + "".join(f"    {word},\n" for word in words) + f") -> {answer}"


def _operation(api: Api, attribute: str, operation: Declared) -> str:
    signature = f"```py\n{_signature(attribute, operation)}\n```"
    parts = [f"### {attribute}.{operation.name}", signature, _prose(operation.__doc__)]
    if operation.replacement:
        place = operation.replacement.replace(".", "")
        parts.append(f"Deprecated: use [`{operation.replacement}`](#{place}).")
    rows = [
        _row(f"`{p.name}`", _linked(p.type), _sentence(meaning(api, operation.name, p.name), limits(p.type)))
        for p in operation.plan.parameters
    ]
    if rows:
        parts.append("\n".join(["| parameter | type | |", "| --- | --- | --- |", *rows]))
    takes = _KEYS[operation.key] + (f" with `{operation.scope}`" if operation.scope else "")
    if operation.whose:
        takes = f"a token of {operation.whose}; no scope opens it"
    if operation.streams:
        answer = "the bytes, as they come"
    else:
        answer = "nothing" if operation.plan.returns is None else _linked(operation.plan.returns)
    errors = ", ".join(f"{status} `{error_for(status).__name__}`" for status in sorted(operation.errors))
    parts.append(
        f"- Takes {takes}\n- Brings {answer}"
        + ("; `.pages(...)` brings the pages after it too" if operation.paging else "")
        + f"\n- Raises {errors or 'none of its own'}\n- Sends `{operation.method} {operation.path}`"
    )
    return "\n" + "\n\n".join(parts) + "\n"


def _model(api: Api, kind: type[Any]) -> str:
    comments = comments_of(kind)
    parts = [f"### {kind.__name__}", _prose(kind.__doc__)]
    if issubclass(kind, Enum):
        rows = [(f"`{word.name}`", f"`{word.value}`", _prose(comments.get(word.name))) for word in kind]
        head = ("member", "on the wire", "")[: 3 if any(text for *_, text in rows) else 2]
        lines = [_row(*head), _row(*["---"] * len(head)), *(_row(*row[: len(head)]) for row in rows)]
        parts.append("\n".join(lines))
    elif fields := msgspec.structs.fields(kind):
        parts.append("\n".join(["| field | type | |", "| --- | --- | --- |", *(_field(api, kind, f) for f in fields)]))
    return "\n" + "\n\n".join(parts) + "\n"


def _field(api: Api, kind: type[Any], field: Any) -> str:
    text = _prose(comments_of(kind).get(field.name))
    if not text:
        models = kinds_in(field.type)  # a model says itself what it is, in its first sentence
        text = _first(models[0].__doc__) if models else meaning(api, kind.__name__, field.name)
    wire = "" if field.encode_name == api.spelling(field.name) else f"on the wire `{field.encode_name}`"
    return _row(f"`{field.name}`", _linked(field.type), _sentence(text, limits(field.type), wire))


def _sentence(*parts: str) -> str:
    said: list[str] = []
    for part in parts:
        if part and part not in "; ".join(said):  # a limit may be told in the meaning already
            said.append(part)
    return "; ".join(said)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _link(kind: type[Any]) -> str:
    return f"[{kind.__name__}](#{kind.__name__.lower()})"


def _linked(hint: Any) -> str:
    """A type in words, its models linked."""
    return " or ".join(_arms(hint))


def _arms(hint: Any) -> Iterator[str]:
    origin, arms = get_origin(hint), get_args(hint)
    if origin is Annotated:
        yield from _arms(arms[0])
    elif origin in (Union, UnionType):
        for arm in sorted(arms, key=lambda arm: (arm is UnsetType, arm is NoneType)):
            yield from _arms(arm)
    elif origin is list:
        yield f"list of {_linked(arms[0])}"
    elif origin is Literal:
        yield from (f'`"{word}"`' for word in arms)
    elif isinstance(hint, type) and issubclass(hint, (msgspec.Struct, Enum)):
        yield _link(hint)
    else:
        yield "`UNSET`" if hint is UnsetType else f"`{spelled(hint)}`"


def main() -> None:
    """``--write`` or ``--check``, in the repository."""
    pages = {}
    for name in APIS:
        api: Api = getattr(import_module(f"innkeeper.contract.{name}"), name.upper())
        pages[f"{name}-operations.md"] = page(api)
    write_or_check(pages)


def write_or_check(pages: Mapping[str, str]) -> None:
    """Write these files of ``docs/reference``, or end the program where one says something else; as its line says."""
    stale = []
    for name, text in pages.items():
        path = Path("docs", "reference", name)
        if "--write" in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(str(path))
    if stale:
        sys.exit(f"stale: {' '.join(stale)}; run scripts/check --fix")


if __name__ == "__main__":
    main()
