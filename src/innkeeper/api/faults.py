"""Refusals of the house as HTTP statuses. Called by ``app.py`` for everything a handler raises.

A status is chosen by who has to act on it: 4xx the caller, 5xx the operator. The vendors document which statuses each
operation can answer, and their strict clients know no others; so each refusal has a row of statuses, the most exact
first, and the first one that the operation declares is used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from innkeeper.kit.errors import (
    Forbidden,
    Gone,
    HouseError,
    Invalid,
    LimitReached,
    NotFound,
    NotSetUp,
    RateLimited,
    Taken,
    TimedOut,
    TooLarge,
    Unauthorized,
    Unavailable,
    Unobtainable,
    Unreadable,
)

#: The statuses that may tell each refusal, the most exact first; the last one serves where none is declared.
ROWS: list[tuple[type[HouseError], tuple[int, ...]]] = [
    (Forbidden, (401,)),
    (Unauthorized, (401,)),
    (Gone, (410, 404)),
    (NotFound, (404, 401, 404)),
    (Unreadable, (400, 422, 404, 400)),
    (TooLarge, (422, 400, 413)),
    (Invalid, (422, 400, 404, 400)),
    (Taken, (400, 422, 400)),
    (LimitReached, (402, 429, 422, 402)),
    (RateLimited, (429,)),
    (TimedOut, (408,)),
    (Unobtainable, (424, 422, 400)),
    (NotSetUp, (500,)),
    (Unavailable, (503,)),
]


#: What a house's word is called in an API, where its users know it by another. By the name of the API.
WORDS: Mapping[str, Mapping[str, str]] = {
    "hathora": {"release": "deployment", "releases": "deployments"},
    "edgegap": {"reserve": "fleet", "setup": "release", "rulebook": "release config"},  # the last two of a matchmaker
}


def said_in(api: str, text: str) -> str:
    """A refusal of the house in the words of an API. Names that hold such a word (``release-7``) stay as they are."""
    words = WORDS.get(api)
    if words is None:
        return text
    return re.sub(rf"(?<![\w-])({'|'.join(words)})(?![\w-])", lambda found: words[found[1]], text)


#: What is told otherwise, by the name of the API. Edgegap: bad input is 400 and 422 means that there is no capacity
#: (facts: the errors' codes of its documents, and what its live API was seen to answer).
OTHERWISE: Mapping[str, Sequence[tuple[type[HouseError], tuple[int, ...]]]] = {
    "edgegap": [
        (Forbidden, (403, 401)),
        (Gone, (410, 404, 400)),
        (NotFound, (404, 400)),
        (Invalid, (400,)),
        (Taken, (409, 400)),
        (LimitReached, (422, 429, 400)),
    ],
}


def status_for(error: HouseError, declared: Sequence[int], api: str = "") -> int:
    """The status that tells ``error`` to a client of that API which knows the ``declared`` ones."""
    for kind, row in (*OTHERWISE.get(api, ()), *ROWS):
        if isinstance(error, kind):
            return next((status for status in row if status in declared), row[-1])
    return 500


def fault_body(text: str) -> bytes:
    """The error object that all three vendors share."""
    return msgspec.json.encode({"message": text})


def retry_after(error: HouseError) -> float | None:
    """Seconds a client should wait before it tries again, where waiting helps."""
    if isinstance(error, RateLimited):
        return error.retry_after
    return 1.0 if isinstance(error, Unavailable) else None
