"""Finds the endpoint of a method and path: a trie over path segments, built once. Used by ``app.py``.

A segment written in a template wins over a parameter at the same place (``/latest`` over ``/{deploymentId}``), one with
an ending over one without (``/{id}:report`` over ``/{id}``), and a look-up that runs into a dead end goes back and
tries the next. Where nothing is found, the few templates are tried in which a parameter may have slashes of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Generic, TypeVar
from urllib.parse import unquote

T = TypeVar("T")


class _Node(Generic[T]):
    __slots__ = ("by_method", "endings", "parameter", "written")

    def __init__(self) -> None:
        self.written: dict[str, _Node[T]] = {}
        self.parameter: _Node[T] | None = None
        self.endings: dict[str, _Node[T]] = {}  #: parameters with something behind them in their segment
        self.by_method: dict[str, T] = {}


class Router(Generic[T]):
    """``add`` every template, then ``find`` paths."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()
        self._slashed: list[tuple[str, re.Pattern[str], T]] = []

    def add(self, method: str, template: str, endpoint: T, slashed: str = "") -> None:
        """Serve ``template`` (``/rooms/{appId}``) with ``endpoint``. Two endpoints for one place are a mistake.

        The parameter ``slashed`` may have slashes that are not encoded: it takes as much of a path as it can.
        """
        if slashed:
            parts = (_pattern(segment, slashed) for segment in template.strip("/").split("/"))
            self._slashed.append((method, re.compile(f"/{'/'.join(parts)}/*"), endpoint))
        node = self._root
        for segment in template.strip("/").split("/"):
            if segment.startswith("{"):
                ending = segment[segment.index("}") + 1 :]
                if ending:
                    node = node.endings.setdefault(ending, _Node())
                    continue
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.written.setdefault(segment, _Node())
        if method in node.by_method:
            raise ValueError(f"{method} {template} is served twice")
        node.by_method[method] = endpoint

    def find(self, method: str, path: str) -> tuple[T | None, list[str], Sequence[str]]:
        """The endpoint, its path values decoded, and, where only the method is wrong, the methods there are.

        ``path`` is as it came, still percent-encoded, so that an encoded slash stays inside its segment.
        """
        segments = path.rstrip("/").split("/")[1:]
        values: list[str] = []
        node = _walk(self._root, segments, values)
        endpoint = None if node is None else node.by_method.get(method)
        if endpoint is None:
            endpoint, values = self._with_slashes(method, path)
        if endpoint is None:
            return None, [], () if node is None else tuple(node.by_method)
        return endpoint, [unquote(value) if "%" in value else value for value in values], ()

    def _with_slashes(self, method: str, path: str) -> tuple[T | None, list[str]]:
        for taken, pattern, endpoint in self._slashed:
            found = pattern.fullmatch(path) if taken == method else None
            if found is not None:
                return endpoint, list(found.groups())
        return None, []


def _pattern(segment: str, slashed: str) -> str:
    """A segment of a template as an expression."""
    if not segment.startswith("{"):
        return re.escape(segment)
    name, _, ending = segment[1:].partition("}")
    return ("([^/].*[^/]|[^/])" if name == slashed else "([^/]+)") + re.escape(ending)


def _walk(node: _Node[T], segments: list[str], values: list[str]) -> _Node[T] | None:
    """Down the trie, what is written first; from a dead end back to the last place that had a parameter too."""
    forks: list[tuple[_Node[T], int, int, str]] = []  # a way to go: the node, its place, how many values before, this
    at = 0
    while True:
        if at == len(segments):
            if node.by_method:
                return node
        else:
            segment = segments[at]
            if segment:
                if node.parameter is not None:
                    forks.append((node.parameter, at, len(values), segment))
                for ending, behind in node.endings.items():
                    if segment.endswith(ending) and segment != ending:
                        forks.append((behind, at, len(values), segment[: -len(ending)]))
            child = node.written.get(segment)
            if child is not None:
                node, at = child, at + 1
                continue
        if not forks:
            return None
        node, at, before, value = forks.pop()
        values[before:] = [value]
        at += 1
