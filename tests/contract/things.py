"""A small API of the tests' own, declared in the way of ``contract/<vendor>``, one gap in it."""

from __future__ import annotations

from innkeeper.contract.operation import Api
from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Camel, UnsetType


class Problem(Camel):
    """What went wrong."""

    message: str


class Thing(Camel):
    """A thing."""

    #: how large it is,
    #: in metres
    size_in_m: float | None
    colour: str | UnsetType = UNSET


OWN = Api(
    "own",
    title="Own",
    version="1",
    package=__package__ or "",
    servers=[],
    resources={"things": "things:Things", "broken": "things:Broken"},
    not_yet={"GetOther": "next week", "GetBroken": "its path names what its signature does not"},
    error=Problem,
    credentials={},
)


class Things(Resource[M]):
    """Things that are served."""

    @OWN.operation("GET", "/things/{thingId}", key="none", errors=(404,))
    def get_thing(self, thing_id: str) -> Thing:
        """Find a thing. ``get_thing`` reads ``thing_id``."""

    @OWN.operation("GET", "/other", key="none")
    def get_other(self) -> Thing:
        """Find the other thing."""


class Broken(Resource[M]):
    """A mistake."""

    @OWN.operation("GET", "/broken/{brokenId}", key="none")
    def get_broken(self) -> Thing:
        """Find what cannot be found."""
