"""A page for people, made of the APIs' documents: no script, nothing fetched. Used by ``pages.py``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from html import escape
from typing import Any

from innkeeper import __version__
from innkeeper.contract.openapi import document
from innkeeper.contract.operation import Api, Declared
from innkeeper.contract.reference import meaning

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code { font-family: ui-monospace, monospace; }
article { border-top: 1px solid #8884; padding: .6rem 0; }
article h3 { margin: 0; font-size: 1rem; }
article p { margin: .2rem 0; }
table { border-collapse: collapse; margin: .4rem 0; }
td, th { text-align: left; vertical-align: top; padding: .1rem 1rem .1rem 0; }
th { font-weight: normal; opacity: .7; }
.key { opacity: .7; font-size: .85rem; }
nav a { margin-right: .8rem; }
"""

_ASKS = {
    "org": "organisation's token",
    "player": "player's token",
    "server": "game server's secret",
    "link": "signed link",
    "none": "no credentials",
}

Json = Mapping[str, Any]


def reference_page(apis: Sequence[Api]) -> str:
    """All operations that are served, by group, and the objects they take and bring."""
    body = "\n".join([f"<h1>Innkeeper {escape(__version__)}</h1>", *(_api(api) for api in apis)])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Innkeeper</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>{body}</body></html>'
    )


@cache
def _api(api: Api) -> str:
    """One API's part. Made once: declarations do not change while we run."""
    described = document(api)
    parts = [
        f"<h2>{escape(api.title)}</h2>",
        f'<p>Machine-readable: <a href="/openapi/{api.name}.json">/openapi/{api.name}.json</a></p>',
    ]
    groups: dict[str, list[Declared]] = {}
    for operation in api.operations():
        if operation.public and operation.id not in api.not_yet:
            groups.setdefault(operation.tag, []).append(operation)
    objects = f"{api.name}-objects"
    links = [*((tag, tag) for tag in groups), (objects, "Objects")]
    parts.append("<nav>" + "".join(f'<a href="#{anchor}">{name}</a>' for anchor, name in links) + "</nav>")
    for tag, operations in groups.items():
        parts.append(f'<h2 id="{tag}">{tag}</h2>')
        for operation in operations:
            parts.append(_operation(api, operation, described["paths"][operation.path][operation.method.lower()]))
    parts.append(f'<h2 id="{objects}">Objects</h2>')
    parts += [_object(api, name, schema) for name, schema in described["components"]["schemas"].items()]
    return "\n".join(parts)


def _operation(api: Api, operation: Declared, said: Json) -> str:
    described = _prose("\n\n".join([said["summary"], said.get("description", "")]))
    words = {parameter.wire: parameter.name for parameter in operation.plan.parameters}
    rows = [
        (
            f"<code>{escape(each['name'])}</code>",
            f"{each['in']}{'' if each['required'] else ', optional'}",
            _kind(each["schema"]),
            _text(_wire(api, meaning(api, operation.name, words[each["name"]]))),
        )
        for each in said.get("parameters", ())
    ]
    if "requestBody" in said:
        [media] = said["requestBody"]["content"].values()
        kind = _kind(media["schema"]) if "schema" in media else "bytes"
        rows.append(("", "body", kind, ""))
    success = said["responses"][str(operation.status)]
    content = success.get("content", {})
    answer = next((_kind(media["schema"]) for media in content.values() if "schema" in media), "")
    answer = answer or ("bytes as they come" if content else "nothing")
    old = f" Deprecated: use <code>{escape(operation.replacement)}</code>." if operation.replacement else ""
    return (
        f'<article id="{operation.id}"><h3><code>{operation.method} {escape(operation.path)}</code></h3>'
        f"<p><b>{operation.id}</b> &middot; <code>{operation.name}</code></p>{described}"
        f"{_table(('', 'in', 'type', ''), rows)}"
        f"<p>Answers {' or '.join(map(str, (operation.status, *operation.also)))}: {answer}.</p>"
        f'<p class="key">Takes {_ASKS[operation.key]}; errors '
        f"{', '.join(map(str, sorted(operation.errors))) or 'none of its own'}.{old}</p></article>"
    )


def _object(api: Api, name: str, schema: Json) -> str:
    required = schema.get("required", ())
    rows = [
        (
            f"<code>{escape(field)}</code>",
            "" if field in required else "optional",
            _kind(said),
            _text(said.get("description") or _wire(api, _meaning_of(api, name, field, said))),
        )
        for field, said in schema.get("properties", {}).items()
    ]
    described = schema.get("description", "")
    # Words that are each explained stand in a list already.
    words = ", ".join(f"<code>{escape(word)}</code>" for word in schema.get("enum", ()) if f"`{word}`" not in described)
    return (
        f'<article id="object-{name}"><h3><code>{name}</code></h3>{_prose(described)}'
        f"{_table(('', '', 'type', ''), rows)}{f'<p>{words}</p>' if words else ''}</article>"
    )


def _meaning_of(api: Api, owner: str, field: str, schema: Json) -> str:
    if any(_references(schema)):
        return ""  # the object says itself what it is
    return meaning(api, owner, re.sub(r"(?<=[a-z])([A-Z])", lambda found: "_" + found[1].lower(), field))


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            yield schema["$ref"]
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _kind(schema: Json) -> str:
    """A type and its limits, in words."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#object-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(map(_kind, schema["anyOf"]))
    if "allOf" in schema:
        return " and ".join(map(_kind, schema["allOf"]))
    if schema.get("type") == "array":
        most = f", at most {schema['maxItems']}" if "maxItems" in schema else ""
        return f"list of {_kind(schema['items'])}{most}"
    if "enum" in schema:
        return " or ".join(f"<code>{escape(str(word))}</code>" for word in schema["enum"])
    name = "date and time" if schema.get("format") == "date-time" else str(schema.get("type", "anything"))
    return ", ".join([name, *_limits(schema)])


def _limits(schema: Json) -> Iterator[str]:
    for least, most, thing in (("minimum", "maximum", ""), ("minLength", "maxLength", " characters")):
        low, high = schema.get(least), schema.get(most)
        if low is not None and high is not None:
            yield f"{low:,} to {high:,}{thing}"
        elif low is not None:
            yield f"{low:,}{thing} or more"
        elif high is not None:
            yield f"at most {high:,}{thing}"
    if "pattern" in schema:
        yield f"<code>{escape(schema['pattern'])}</code>"
    if "default" in schema:
        yield f"<code>{escape(str(schema['default']))}</code> unless told"


def _wire(api: Api, text: str) -> str:
    """What is said to a Python programmer, said to everybody."""
    said = re.sub(r"``(\w+)``", lambda found: f"`{api.spelling(found[1])}`", text)
    return re.sub(r"\bNone\b", "null", said)


def _text(text: str) -> str:
    """Markdown's code as HTML, and nothing else of it."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(" ".join(text.split())))


def _prose(text: str) -> str:
    """Paragraphs, and lists of lines that begin with a dash."""
    parts: list[str] = []
    for paragraph in filter(None, (part.strip() for part in text.split("\n\n"))):
        lines = paragraph.splitlines()
        if all(line.startswith("- ") for line in lines):
            parts.append("<ul>" + "".join(f"<li>{_text(line[2:])}</li>" for line in lines) + "</ul>")
        else:
            parts.append(f"<p>{_text(paragraph)}</p>")
    return "".join(parts)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = ["<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<table>{''.join(lines)}</table>"
