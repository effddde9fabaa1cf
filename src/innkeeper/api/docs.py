"""The reference as one page of HTML, made from the declarations: no script, nothing fetched. Used by ``pages.py``."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from innkeeper import __version__
from innkeeper.contract.operation import Api, Declared

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code { font-family: ui-monospace, monospace; }
article { border-top: 1px solid #8884; padding: .6rem 0; }
article h3 { margin: 0; font-size: 1rem; }
article p { margin: .2rem 0; }
.key { opacity: .7; font-size: .85rem; }
nav a { margin-right: .8rem; }
"""


def reference_page(apis: Sequence[Api]) -> str:
    """All operations that are served, by group."""
    parts = [f"<h1>Innkeeper {escape(__version__)}</h1>"]
    for api in apis:
        parts.append(f"<h2>{escape(api.title)}</h2>")
        parts.append(f'<p>Machine-readable: <a href="/openapi/{api.name}.json">/openapi/{api.name}.json</a></p>')
        groups: dict[str, list[Declared]] = {}
        for operation in api.operations():
            if operation.public and operation.id not in api.not_yet:
                groups.setdefault(operation.tag, []).append(operation)
        parts.append("<nav>" + "".join(f'<a href="#{tag}">{tag}</a>' for tag in groups) + "</nav>")
        for tag, operations in groups.items():
            parts.append(f'<h2 id="{tag}">{tag}</h2>')
            parts += [_operation(operation) for operation in operations]
    body = "\n".join(parts)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Innkeeper</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>{body}</body></html>'
    )


def _operation(operation: Declared) -> str:
    paragraphs = "".join(
        f"<p>{escape(' '.join(text.split()))}</p>" for text in (operation.__doc__ or "").strip().split("\n\n")
    )
    asks = {"org": "organisation's token", "player": "player's token", "link": "signed link", "none": "no credentials"}
    scope = f", scope <code>{escape(operation.scope)}</code>" if operation.scope else ""
    old = f" Deprecated: use <code>{escape(operation.replaced_by)}</code>." if operation.replaced_by else ""
    return (
        f'<article id="{operation.id}"><h3><code>{operation.method} {escape(operation.path)}</code></h3>'
        f"<p><b>{operation.id}</b> &middot; <code>{operation.name}</code></p>{paragraphs}"
        f'<p class="key">{asks[operation.key]}{scope}; {operation.status}; errors '
        f"{', '.join(map(str, operation.errors)) or 'none of its own'}.{old}</p></article>"
    )
