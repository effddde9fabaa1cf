"""Finds the endpoint of a method and path: a trie over path segments, built once. Used by ``app.py``.

A segment written in a template wins over a parameter at the same place (``/latest`` over ``/{deploymentId}``), and a
look-up that runs into a dead end behind the written one goes back and tries the parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar
from urllib.parse import unquote

T = TypeVar("T")


class _Node(Generic[T]):
    __slots__ = ("by_method", "parameter", "written")

    def __init__(self) -> None:
        self.written: dict[str, _Node[T]] = {}
        self.parameter: _Node[T] | None = None
        self.by_method: dict[str, T] = {}


class Router(Generic[T]):
    """``add`` every template, then ``find`` paths."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()

    def add(self, method: str, template: str, endpoint: T) -> None:
        """Serve ``template`` (``/rooms/{appId}``) with ``endpoint``. Two endpoints for one place are a mistake."""
        node = self._root
        for segment in template.strip("/").split("/"):
            if segment.startswith("{"):
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
        if node is None:
            return None, [], ()
        endpoint = node.by_method.get(method)
        if endpoint is None:
            return None, [], tuple(node.by_method)
        return endpoint, [unquote(value) if "%" in value else value for value in values], ()


def _walk(node: _Node[T], segments: list[str], values: list[str]) -> _Node[T] | None:
    """Down the trie, what is written first; from a dead end back to the last place that had a parameter too."""
    forks: list[tuple[_Node[T], int, int]] = []  # parameters passed by: the node, its place, how many values before
    at = 0
    while True:
        if at == len(segments):
            if node.by_method:
                return node
        else:
            segment = segments[at]
            child = node.written.get(segment)
            parameter = node.parameter if segment else None
            if child is None and parameter is not None:
                values.append(segment)
                node, at = parameter, at + 1
                continue
            if child is not None:
                if parameter is not None:
                    forks.append((parameter, at, len(values)))
                node, at = child, at + 1
                continue
        if not forks:
            return None
        node, at, before = forks.pop()
        values[before:] = [segments[at]]
        at += 1
