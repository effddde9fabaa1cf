"""The things of this wing, as they are handed to doors. Times are microseconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass, field

from .scopes import Grant


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an organisation may use. None: no limit."""

    memory_mb: int = 16384  #: the most memory one Server may ask for
    connections: int = 1024  #: inbound connections of one Server
    log_hours: int = 72  #: how long a Server's log is kept after its end
    cloud_baseline: int = 10  #: cloud hosts that may be kept ready
    server_hours: float | None = None  #: how long one Server may live
    cpus: float | None = None  #: processors of all its Servers together
    cpu_hours_a_month: float | None = None  #: processor hours of all its Servers together, a calendar month (UTC)


@dataclass(frozen=True, slots=True)
class Org:
    """An organisation: owns Apps, Builds, tokens; has members."""

    id: str  #: ``org-<uuid>``
    name: str
    created_at: int
    limits: Limits


@dataclass(frozen=True, slots=True)
class Member:
    """A person's place in an organisation."""

    org_id: str
    email: str
    grant: Grant
    invited_by: str  #: e-mail; the founder's own for the founder
    invited_at: int
    joined_at: int


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation that waits for an answer."""

    org_id: str
    email: str
    grant: Grant
    invited_by: str  #: e-mail
    created_at: int


@dataclass(frozen=True, slots=True)
class Token:
    """An organisation's token, without its secret."""

    id: str  #: ``org-token-<uuid>``
    org_id: str
    name: str  #: unique among the organisation's active tokens
    last_four: str  #: the end of the secret, for people to tell tokens apart
    grant: Grant
    created_by: str  #: e-mail; the token acts as this person
    created_at: int
    revoked_at: int | None
    #: who made it for that person; None where they did themselves. Such a token reaches its own organisation alone:
    #: nobody's word for who somebody is counts in an organisation of others.
    vouched_by: str | None = None

    @property
    def active(self) -> bool:
        """Whether it can be used."""
        return self.revoked_at is None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made: the only moment at which its secret is known."""

    token: Token
    plain: str = field(repr=False)  #: the secret


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, and what for they may ask."""

    org_id: str  #: the organisation that the request is about
    token_id: str
    by: str  #: e-mail of the person the token acts as
    grant: Grant
    vouched_by: str | None = None  #: as for :class:`Token`

    def may(self, scope: str) -> bool:
        """Whether the request may do what needs this scope."""
        return self.grant.may(scope)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the record of what was changed."""

    id: str
    at: int
    org_id: str
    who: str  #: e-mail, or ``innkeeper`` for what the machine's operator did
    verb: str  #: such as ``token.create``
    subject: str  #: what it was done to: an id or an e-mail
    detail: str  #: for people; never a secret
    outcome: str | None = "done"  #: ``done``, or why it was refused; None while it is under way, or was broken off
    token_id: str | None = None  #: the token that was shown
    client: str | None = None  #: the address that it was asked from
