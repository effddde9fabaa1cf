"""What a token or a person may do: roles, single scopes, and the arithmetic of handing them on.

Every verb that hands a grant on (tokens, invites) asks :meth:`Grant.covers`; doors ask :meth:`Grant.may`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from innkeeper.kit.errors import Invalid

#: Every scope there is, in the order in which they are listed. ``x:read-write`` holds ``x:read`` as well.
SCOPES = (
    "billing:read-write",
    "builds:read",
    "builds:read-write",
    "deployments:read",
    "deployments:read-write",
    "applications:read",
    "applications:read-write",
    "processes:read",
    "processes:read-write",
    "fleets:read",
    "fleets:read-write",
    "orgs:read",
    "orgs:read-write",
    "tokens:read",
    "tokens:read-write",
    "tickets:read",
    "tickets:read-write",
    "load-balancer:access",
)
_KNOWN = frozenset(SCOPES)


class Role(StrEnum):
    """A bundle of scopes with a name."""

    ADMIN = "admin"  #: everything, also what is invented later
    MEMBER = "member"  #: everything but to change who belongs to the organisation and what it pays
    VIEWER = "viewer"  #: to look at everything, and to change nothing


_ROLES: dict[str, frozenset[str]] = {
    Role.ADMIN: _KNOWN,
    Role.MEMBER: _KNOWN - {"orgs:read-write", "billing:read-write"},
    Role.VIEWER: frozenset(scope for scope in SCOPES if scope.endswith(":read")),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A role or a set of scopes. Make one with :meth:`to`, :meth:`of` or :meth:`stored`."""

    text: str  #: as it is stored: the role's name, or the scopes in their order with blanks between them

    @staticmethod
    def to(role: Role) -> Grant:
        """All that a role may do."""
        return Grant(role.value)

    @staticmethod
    def of(scopes: Iterable[str], field: str = "scopes") -> Grant:
        """Just these scopes; none is allowed too. Raises ``Invalid``, naming ``field``, for a scope that is none."""
        asked = frozenset(scopes)
        unknown = sorted(asked - _KNOWN)
        if unknown:
            raise Invalid(f"{field}: there is no scope {unknown[0]!r}; there are {', '.join(SCOPES)}")
        return Grant(" ".join(scope for scope in SCOPES if scope in asked))

    @staticmethod
    def stored(text: str) -> Grant:
        """The grant whose :attr:`text` this is."""
        return Grant(text)

    @property
    def role(self) -> Role | None:
        """The role, or None where single scopes were given."""
        return Role(self.text) if self.text in _ROLES else None

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes as they were given; for a role, all it comes to."""
        held = _ROLES.get(self.text) or self.text.split()
        return tuple(scope for scope in SCOPES if scope in held)

    def may(self, scope: str) -> bool:
        """Whether it holds this scope. An admin holds any, known here or not."""
        return scope in _closure(self.text) or self.text == Role.ADMIN

    def covers(self, other: Grant) -> bool:
        """Whether all of ``other`` is part of this: whoever holds this may hand ``other`` on."""
        if Role.ADMIN in (self.text, other.text):
            return self.text == Role.ADMIN
        return _closure(other.text) <= _closure(self.text)

    def covers_change(self, before: Grant, after: Grant) -> bool:
        """Whether all that ``after`` has and ``before`` has not, or the other way round, is part of this."""
        if before == after or self.text == Role.ADMIN:
            return True
        if Role.ADMIN in (before.text, after.text):
            return False
        return _closure(before.text) ^ _closure(after.text) <= _closure(self.text)

    def meet(self, other: Grant) -> Grant:
        """What both hold."""
        if self.covers(other):
            return other
        if other.covers(self):
            return self
        return Grant.of(_closure(self.text) & _closure(other.text))


@lru_cache(maxsize=4096)
def _closure(text: str) -> frozenset[str]:
    """Every scope that a stored grant comes to, those that follow from others too."""
    if text in _ROLES:
        return _ROLES[text]
    given = frozenset(text.split())
    follow = {scope.removesuffix("-write") for scope in given if scope.endswith(":read-write")}
    return given | (follow & _KNOWN)


ADMIN = Grant.to(Role.ADMIN)
