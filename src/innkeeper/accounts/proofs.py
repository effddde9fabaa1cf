"""The statements about proofs of addresses, as steps. Called by ``verifying.py``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from innkeeper.db.database import Statement, Steps


def verification_asked(email: str) -> Steps[int | None]:
    """When a mail to this address was asked for last, as long as that is remembered."""
    rows = yield Statement("select asked_at from verifications where email = $1", (email,))
    return rows[0][0] if rows else None


def put_verification(email: str, now: int) -> Steps[None]:
    """A mail to this address is wanted."""
    yield Statement(
        "insert into verifications (email, asked_at, sent_at) values ($1, $2, null)"
        " on conflict (email) do update set asked_at = excluded.asked_at, sent_at = null",
        (email, now),
    )


def verifications_due(most: int) -> Steps[Sequence[tuple[str, bool]]]:
    """Addresses to which a mail is wanted, and whether they are a user's, the first that asked first."""
    rows = yield Statement(
        "select v.email, u.email from verifications v left join users u on u.email = v.email"
        " where v.sent_at is null order by v.asked_at, v.email limit $1",
        (most,),
    )
    return [(row[0], row[1] is not None) for row in rows]


class Waiting(NamedTuple):
    """How many addresses are remembered, and how many of them have to be seen to."""

    all: int
    due: int


def verifications_waiting() -> Steps[Waiting]:
    """How many there are."""
    rows = yield Statement("select count(*), count(*) - count(sent_at) from verifications")
    return Waiting(rows[0][0], rows[0][1])


def set_verification_sent(email: str, now: int) -> Steps[None]:
    """It was seen to."""
    yield Statement("update verifications set sent_at = $2 where email = $1", (email, now))


def forget_verifications(seen_before: int, asked_before: int) -> Steps[None]:
    """Forget those that were seen to, or could not be for so long."""
    yield Statement(
        "delete from verifications where (sent_at is not null and asked_at <= $1) or asked_at <= $2",
        (seen_before, asked_before),
    )


def set_verified(email: str, now: int) -> Steps[None]:
    """This user's address is theirs; the first proof counts."""
    yield Statement("update users set verified_at = $2 where email = $1 and verified_at is null", (email, now))


def verified_at(email: str) -> Steps[int | None]:
    """When a user's address was proved."""
    rows = yield Statement("select verified_at from users where email = $1", (email,))
    return rows[0][0] if rows else None
