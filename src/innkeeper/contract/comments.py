"""What stands beside fields and members as ``#:`` comments, read from the source. Used by ``openapi.py`` alone.

The comment is where a programmer looks, so it is where the description is kept; the document gets it from there.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache

_MARK = "#:"


def comments_of(owner: type) -> dict[str, str]:
    """Attribute -> the comment behind it (or on the lines above it), the bases' included. Nothing without a source."""
    return {name: text for base in reversed(owner.__mro__) for name, text in _own_comments(base).items()}


@cache
def _own_comments(owner: type) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(owner))
    except (OSError, TypeError):
        return {}
    lines = source.splitlines()
    definition = ast.parse(source).body[0]
    assert isinstance(definition, ast.ClassDef)
    found: dict[str, str] = {}
    for node in definition.body:
        target = _target(node)
        if target is None:
            continue
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        rest = lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode().strip()
        if rest.startswith(_MARK):
            found[target] = rest.removeprefix(_MARK).strip()
        elif above := _above(lines, node.lineno - 1):
            found[target] = above
    return found


def _target(node: ast.stmt) -> str | None:
    targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets if isinstance(node, ast.Assign) else []
    return next((target.id for target in targets if isinstance(target, ast.Name)), None)


def _above(lines: list[str], end: int) -> str:
    begin = end
    while begin > 0 and lines[begin - 1].strip().startswith(_MARK):
        begin -= 1
    return " ".join(line.strip().removeprefix(_MARK).strip() for line in lines[begin:end])
