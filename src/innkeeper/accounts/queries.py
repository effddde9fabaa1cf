"""The statements of this wing, as steps. Called by the verbs beside it; each function is one thing asked or changed."""

from __future__ import annotations

from collections.abc import Sequence

from innkeeper.db.database import Row, Statement, Steps
from innkeeper.db.sql import FOR_UPDATE

from .model import Entry, Invite, Limits, Member, Org, Token
from .scopes import Grant

_LIMITS = "memory_mb, connections, log_hours, cloud_baseline, server_hours, cpus, cpu_hours_a_month"
_ORG_COLUMNS = f"o.id, o.name, o.created_at, {', '.join('o.' + column for column in _LIMITS.split(', '))}"
_TOKEN_COLUMNS = "id, org_id, name, last_four, grants, created_by, created_at, revoked_at, vouched_by"  # noqa: S105
_INVITE_COLUMNS = "org_id, email, grants, invited_by, created_at"
_MEMBER_COLUMNS = "org_id, email, grants, invited_by, invited_at, joined_at"

_ORG_BY_ID = f"select {_ORG_COLUMNS} from orgs o where o.id = $1"
_ORGS_OF_USER = f"""
    select m.grants, {_ORG_COLUMNS} from members m join orgs o on o.id = m.org_id
    where m.email = $1 order by m.joined_at, o.id
"""
_ADD_ORG = f"insert into orgs (id, name, created_at, {_LIMITS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
_TOKENS_OF_ORG = f"select {_TOKEN_COLUMNS} from org_tokens where org_id = $1 order by created_at desc, id desc"
_TOKEN_BY_ID = f"select {_TOKEN_COLUMNS} from org_tokens where org_id = $1 and id = $2"
_TOKEN_BY_HASH = f"select {_TOKEN_COLUMNS} from org_tokens where secret_hash = $1"
_MEMBERS_OF_ORG = f"select {_MEMBER_COLUMNS} from members where org_id = $1 order by joined_at, email"
_MEMBER_BY_ID = f"select {_MEMBER_COLUMNS} from members where org_id = $1 and email = $2"
_HOLD_INVITE = f"select {_INVITE_COLUMNS} from invites where org_id = $1 and email = $2 {FOR_UPDATE}"
_REGRANT_INVITE = "update invites set grants = $3 where org_id = $1 and email = $2"
_TAKE_INVITE = f"delete from invites where org_id = $1 and email = $2 returning {_INVITE_COLUMNS}"
_INVITES_OF_ORG = f"select {_INVITE_COLUMNS} from invites where org_id = $1 order by created_at desc, email"
_INVITES_OF_USER = f"select {_INVITE_COLUMNS} from invites where email = $1 order by created_at desc, org_id"


def _org(row: Row) -> Org:
    return Org(row[0], row[1], row[2], Limits(*row[3:10]))


def _token(row: Row) -> Token:
    return Token(row[0], row[1], row[2], row[3], Grant.stored(row[4]), row[5], row[6], row[7], row[8])


def _invite(row: Row) -> Invite:
    return Invite(row[0], row[1], Grant.stored(row[2]), row[3], row[4])


def _member(row: Row) -> Member:
    return Member(row[0], row[1], Grant.stored(row[2]), row[3], row[4], row[5])


# Organisations and their people


def founded() -> Steps[str | None]:
    """The id of the organisation that runs the house, or None: that of the first start, or of an import before it."""
    rows = yield Statement("select org_id from founding")
    return rows[0][0] if rows else None


def mark_founded(org_id: str) -> Steps[None]:
    """This organisation runs the house. ``Duplicate`` where one does already."""
    yield Statement("insert into founding (one, org_id) values (1, $1)", (org_id,))


def org(org_id: str) -> Steps[Org | None]:
    """An organisation."""
    rows = yield Statement(_ORG_BY_ID, (org_id,))
    return _org(rows[0]) if rows else None


def orgs() -> Steps[Sequence[Org]]:
    """Every organisation, the oldest first."""
    rows = yield Statement(f"select {_ORG_COLUMNS} from orgs o order by o.created_at, o.id")
    return [_org(row) for row in rows]


def orgs_of(email: str) -> Steps[Sequence[tuple[Org, Grant]]]:
    """The organisations a person belongs to and what they may do there, the longest membership first."""
    rows = yield Statement(_ORGS_OF_USER, (email,))
    return [(_org(row[1:]), Grant.stored(row[0])) for row in rows]


def add_org(new: Org) -> Steps[None]:
    """Add an organisation, without anybody in it."""
    limits = new.limits
    yield Statement(
        _ADD_ORG,
        (
            new.id, new.name, new.created_at, limits.memory_mb, limits.connections, limits.log_hours,
            limits.cloud_baseline, limits.server_hours, limits.cpus, limits.cpu_hours_a_month,
        ),
    )  # fmt: skip


def rename_org(org_id: str, name: str) -> Steps[bool]:
    """Call an organisation by another name. False where there is none."""
    return bool((yield Statement("update orgs set name = $2 where id = $1 returning id", (org_id, name))))


def set_limits(org_id: str, limits: Limits) -> Steps[bool]:
    """Replace all limits of an organisation. False where there is none."""
    rows = yield Statement(
        "update orgs set memory_mb = $2, connections = $3, log_hours = $4, cloud_baseline = $5, server_hours = $6, "
        "cpus = $7, cpu_hours_a_month = $8 where id = $1 returning id",
        (
            org_id, limits.memory_mb, limits.connections, limits.log_hours, limits.cloud_baseline,
            limits.server_hours, limits.cpus, limits.cpu_hours_a_month,
        ),
    )  # fmt: skip
    return bool(rows)


def add_user(email: str, now: int) -> Steps[None]:
    """Make a person known; nothing happens to one who is."""
    yield Statement(
        "insert into users (email, created_at) values ($1, $2) on conflict (email) do nothing", (email, now)
    )


def add_member(new: Member) -> Steps[None]:
    """Take a person into an organisation. Nothing happens where they belong to it."""
    yield from add_user(new.email, new.joined_at)
    yield Statement(
        "insert into members (org_id, email, grants, invited_by, invited_at, joined_at) "
        "values ($1, $2, $3, $4, $5, $6) on conflict (org_id, email) do nothing",
        (new.org_id, new.email, new.grant.text, new.invited_by, new.invited_at, new.joined_at),
    )


def member(org_id: str, email: str) -> Steps[Member | None]:
    """A person's place in an organisation."""
    rows = yield Statement(_MEMBER_BY_ID, (org_id, email))
    return _member(rows[0]) if rows else None


def members(org_id: str) -> Steps[Sequence[Member]]:
    """Everybody in an organisation, the longest membership first."""
    rows = yield Statement(_MEMBERS_OF_ORG, (org_id,))
    return [_member(row) for row in rows]


# Invites


def put_invite(new: Invite) -> Steps[None]:
    """Invite a person, in place of an earlier invitation to the same organisation."""
    yield Statement(
        "insert into invites (org_id, email, grants, invited_by, created_at) values ($1, $2, $3, $4, $5) "
        "on conflict (org_id, email) do update set grants = excluded.grants, invited_by = excluded.invited_by, "
        "created_at = excluded.created_at",
        (new.org_id, new.email, new.grant.text, new.invited_by, new.created_at),
    )


def hold_invite(org_id: str, email: str) -> Steps[Invite | None]:
    """A waiting invitation, which nobody else changes until this transaction ends."""
    rows = yield Statement(_HOLD_INVITE, (org_id, email))
    return _invite(rows[0]) if rows else None


def regrant_invite(org_id: str, email: str, grant: Grant) -> Steps[None]:
    """Change what an invitation offers."""
    yield Statement(_REGRANT_INVITE, (org_id, email, grant.text))


def take_invite(org_id: str, email: str) -> Steps[Invite | None]:
    """Remove an invitation and say what it was. Only one of two who try gets it."""
    rows = yield Statement(_TAKE_INVITE, (org_id, email))
    return _invite(rows[0]) if rows else None


def invites_of_org(org_id: str) -> Steps[Sequence[Invite]]:
    """Invitations to an organisation that wait for an answer, the newest first."""
    rows = yield Statement(_INVITES_OF_ORG, (org_id,))
    return [_invite(row) for row in rows]


def invites_of_user(email: str) -> Steps[Sequence[Invite]]:
    """Invitations that wait for this person's answer, the newest first."""
    rows = yield Statement(_INVITES_OF_USER, (email,))
    return [_invite(row) for row in rows]


# Tokens


def add_token(new: Token, secret_hash: str) -> Steps[None]:
    """Add a token. ``Duplicate`` where an active one of the organisation has its name."""
    yield Statement(
        "insert into org_tokens (id, org_id, name, secret_hash, last_four, grants, created_by, created_at, "
        "vouched_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        (
            new.id, new.org_id, new.name, secret_hash, new.last_four, new.grant.text, new.created_by, new.created_at,
            new.vouched_by,
        ),
    )  # fmt: skip


def tokens(org_id: str) -> Steps[Sequence[Token]]:
    """All tokens of an organisation, revoked ones too, the newest first."""
    rows = yield Statement(_TOKENS_OF_ORG, (org_id,))
    return [_token(row) for row in rows]


def token(org_id: str, token_id: str) -> Steps[Token | None]:
    """A token of an organisation."""
    rows = yield Statement(_TOKEN_BY_ID, (org_id, token_id))
    return _token(rows[0]) if rows else None


def token_of_hash(secret_hash: str) -> Steps[Token | None]:
    """The token whose secret has this hash, revoked or not."""
    rows = yield Statement(_TOKEN_BY_HASH, (secret_hash,))
    return _token(rows[0]) if rows else None


def revoke_token(org_id: str, token_id: str, now: int) -> Steps[str | None]:
    """End a token and return its secret's hash; None where it is none of theirs or was revoked before."""
    rows = yield Statement(
        "update org_tokens set revoked_at = $3 where org_id = $1 and id = $2 and revoked_at is null "
        "returning secret_hash",
        (org_id, token_id, now),
    )
    return rows[0][0] if rows else None


def revoke_token_named(org_id: str, name: str, now: int) -> Steps[str | None]:
    """End the active token of this name, if there is one, and return its secret's hash."""
    rows = yield Statement(
        "update org_tokens set revoked_at = $3 where org_id = $1 and name = $2 and revoked_at is null "
        "returning secret_hash",
        (org_id, name, now),
    )
    return rows[0][0] if rows else None


# The record


_ENTRY = "id, at, org_id, who, verb, subject, detail, outcome, token_id, client"


def add_entry(new: Entry) -> Steps[None]:
    """Write a line of the record."""
    yield Statement(
        f"insert into audit ({_ENTRY}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        (
            new.id, new.at, new.org_id, new.who, new.verb, new.subject, new.detail, new.outcome, new.token_id,
            new.client,
        ),
    )  # fmt: skip


def end_entry(entry_id: str, subject: str, outcome: str) -> Steps[None]:
    """Write what came of it."""
    yield Statement("update audit set subject = $2, outcome = $3 where id = $1", (entry_id, subject, outcome))


def entries(
    org_id: str, before: tuple[int, str] | None, who: str | None, verb: str | None, limit: int
) -> Steps[list[Entry]]:
    """Lines of an organisation's record, the newest first: those before a time and id, of a person, of a verb."""
    at, below = before or (1 << 62, "")
    rows = yield Statement(
        f"select {_ENTRY} from audit where org_id = $1 and (at < $2 or (at = $2 and id < $3))"
        " and who = coalesce($4, who) and verb = coalesce($5, verb) order by at desc, id desc limit $6",
        (org_id, at, below, who, verb, limit),
    )
    return [Entry(*row) for row in rows]
