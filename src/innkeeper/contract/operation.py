"""Declaring an operation: a typed method without a body, and a decorator that says where it goes on the wire.

``Api`` is one vendor's API; its ``operation`` and ``stream`` are the decorators used in ``contract/<vendor>/*.py``.
Read from a resource, a declared operation is a method of that resource's mode (sync or async); read from the class it
is the declaration itself, which the server's ``@implements`` takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    Literal,
    NamedTuple,
    ParamSpec,
    TypedDict,
    TypeVar,
    Unpack,
    overload,
)

from .resource import Async, AsyncCall, AsyncStreamCall, Bound, Call, Resource, StreamCall, Sync
from .spelling import camel

if TYPE_CHECKING:
    from .paging import Paging
    from .plan import Plan

P = ParamSpec("P")
R = TypeVar("R")

#: Who may call: a holder of an organisation's token, a player with a login, a game server with a secret of its own,
#: the holder of a signed link, anybody.
Key = Literal["org", "player", "server", "link", "none"]
#: What the request's body is: an object, bytes that are taken as they come, or a form with the bytes of one ``file``.
Body = Literal["json", "bytes", "form"]


class Terms(TypedDict, total=False):
    """What ``operation`` and ``stream`` take besides method and path."""

    status: int  #: the status that is success; 200 unless said
    also: Sequence[int]  #: other statuses that are success, with the same body (none for 204)
    key: Key  #: ``org`` unless said
    scope: str | None  #: what an organisation's token must hold
    errors: Sequence[int]  #: the statuses that the vendor documents besides
    id: str  #: the vendor's operation id, where it is not the method's name in PascalCase
    body: Body
    media: str  #: of a stream's answer; ``application/octet-stream`` unless said
    idempotent: bool  #: whether sending it twice does no harm; by its HTTP method unless said
    paging: Paging  #: how the next page is asked for
    replaced_by: str  #: what to use instead: a method beside it, or ``resource.method`` of a client. It is deprecated
    recorded: bool  #: whether the audit log gets a line; for an organisation's token that is no GET, unless said
    slashed: str  #: the name of a path parameter whose slashes are also taken as they are, not as %2F alone
    public: bool  #: False for what is ours alone (upload links) and not in the document


class Declared:
    """What a declaration says. ``plan`` is compiled from the signature on first use."""

    streams = False

    def __init__(
        self,
        api: Api,
        method: str,
        path: str,
        function: Callable[..., Any],
        *,
        status: int = 200,
        also: Sequence[int] = (),
        key: Key = "org",
        scope: str | None = None,
        errors: Sequence[int] = (),
        id: str | None = None,
        body: Body = "json",
        media: str = "application/octet-stream",
        idempotent: bool | None = None,
        paging: Paging | None = None,
        replaced_by: str | None = None,
        recorded: bool | None = None,
        slashed: str = "",
        public: bool = True,
    ) -> None:
        self.api = api
        self.method = method
        self.path = path
        self.function = function
        self.name = function.__name__
        self.id = id or "".join(part.capitalize() for part in self.name.split("_"))  #: the vendor's operation id
        self.status = status  #: the status that is success
        self.also = tuple(also)  #: others that are
        self.key: Key = key
        self.scope = scope
        self.errors = tuple(errors)  #: the statuses the vendor documents besides
        self.body = body
        self.media = media  #: of a stream's answer
        self.idempotent = method in ("GET", "HEAD", "PUT", "DELETE") if idempotent is None else idempotent
        self.paging = paging
        self.replaced_by = replaced_by
        self.recorded = (key == "org" and method != "GET") if recorded is None else recorded  #: in the audit log
        self.slashed = slashed  #: a path parameter whose slashes may stand as they are
        self.public = public  #: whether the vendor documents it; ours alone (upload links) are not in the document
        self.__doc__ = function.__doc__

    @cached_property
    def plan(self) -> Plan:
        """Where each value travels."""
        from .plan import compile_plan

        return compile_plan(self)

    @property
    def tag(self) -> str:
        """The group it belongs to: the name of its resource class."""
        return self.function.__qualname__.split(".")[-2]

    @property
    def whose(self) -> str | None:
        """Whose token alone may do it, where that is more than a scope that tokens can be given; else None."""
        return None if self.scope is None else self.api.beyond.get(self.scope)

    @property
    def replacement(self) -> str | None:
        """What to use instead, as a client calls it: ``rooms_v2.create_room``; None where it is not deprecated."""
        if self.replaced_by is None or "." in self.replaced_by:
            return self.replaced_by
        return f"{self.function.__module__.rsplit('.', 1)[1]}.{self.replaced_by}"

    def __repr__(self) -> str:
        return f"<operation {self.api.name} {self.id}: {self.method} {self.path}>"

    def _bind(self, resource: Resource[Any] | None) -> Any:
        return self if resource is None else Bound(self, resource._caller)  # pyright: ignore[reportPrivateUsage]


class Operation(Declared, Generic[P, R]):
    """An operation with one whole answer."""

    @overload
    def __get__(self, resource: None, owner: type) -> Operation[P, R]: ...
    @overload
    def __get__(self, resource: Resource[Sync], owner: type) -> Call[P, R]: ...
    @overload
    def __get__(self, resource: Resource[Async], owner: type) -> AsyncCall[P, R]: ...
    def __get__(self, resource: Any, owner: type) -> Any:
        return self._bind(resource)


class StreamOperation(Declared, Generic[P]):
    """An operation whose answer is bytes that arrive bit by bit."""

    streams = True

    @overload
    def __get__(self, resource: None, owner: type) -> StreamOperation[P]: ...
    @overload
    def __get__(self, resource: Resource[Sync], owner: type) -> StreamCall[P]: ...
    @overload
    def __get__(self, resource: Resource[Async], owner: type) -> AsyncStreamCall[P]: ...
    def __get__(self, resource: Any, owner: type) -> Any:
        return self._bind(resource)


class Credential(NamedTuple):
    """How the vendor's document calls a credential, what it is, and the word before it in ``Authorization``."""

    name: str
    description: str
    word: str = "Bearer"  #: empty: it stands alone


class Api:
    """One vendor's API: its name, where the vendor serves it, and which modules declare its operations.

    ``resources`` maps the attribute of the client to ``"module:Class"``; the modules are imported when used.
    ``error`` is the object that every answer but a success holds, ``credentials`` what each kind of key is.
    """

    def __init__(
        self,
        name: str,
        *,
        title: str,
        version: str,
        package: str,
        servers: Sequence[str],
        resources: dict[str, str],
        not_yet: dict[str, str],
        error: type[Any],
        credentials: Mapping[Key, Credential],
        within: str = "",
        beyond: Mapping[str, str] | None = None,
        spelling: Callable[[str], str] = camel,
    ) -> None:
        self.name = name
        self.title = title
        self.version = version
        self.package = package
        self.servers = tuple(servers)
        self.resources = resources
        self.not_yet = not_yet  #: operation id -> why it is not served
        self.error = error
        self.credentials = credentials
        self.beyond = beyond or {}  #: scopes that no list of scopes can hold -> whose token may do it
        self.spelling = spelling  #: how a Python name is spelled on the wire
        self.within = within  #: the attribute of the client that has the resources; empty: the client itself

    def resource(self, attribute: str) -> type[Resource[Any]]:
        """The resource class behind a client's attribute."""
        module, _, name = self.resources[attribute].partition(":")
        found: type[Resource[Any]] = getattr(import_module(f"{self.package}.{module}"), name)
        return found

    def operations(self) -> list[Declared]:
        """All operations, in the order they are declared."""
        return [
            member
            for attribute in self.resources
            for member in vars(self.resource(attribute)).values()
            if isinstance(member, Declared)
        ]

    def operation(
        self, method: str, path: str, **terms: Unpack[Terms]
    ) -> Callable[[Callable[Concatenate[Any, P], R]], Operation[P, R]]:
        """Declare the decorated signature as an operation.

        ``path`` is a template; a parameter named in it travels in the path, ``params`` is the JSON body (``content``
        with ``body="bytes"`` and ``"form"``), the rest is the query.
        """

        def declare(function: Callable[Concatenate[Any, P], R]) -> Operation[P, R]:
            return Operation(self, method, path, function, **terms)

        return declare

    def stream(
        self, method: str, path: str, **terms: Unpack[Terms]
    ) -> Callable[[Callable[Concatenate[Any, P], None]], StreamOperation[P]]:
        """Declare an operation that answers with bytes as they come. Its method is declared ``-> None``."""

        def declare(function: Callable[Concatenate[Any, P], Any]) -> StreamOperation[P]:
            return StreamOperation(self, method, path, function, **terms)

        return declare
