"""Which organisation runs a house, where nothing in the database says so: a decision. Asked by ``founding.py`` at each
start, and by ``transfer/`` when apps of another house come into one that was never started.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from innkeeper.kit.errors import Invalid


def who_runs(orgs: Mapping[str, str], said: Iterable[str | None], hint: str) -> str | None:
    """The id of the organisation whose admins run the house; None where there is no organisation.

    ``orgs`` are all there are, names by id; ``said`` are ids that something speaks for, the weightiest first. The only
    organisation needs nobody to speak for it. Raises ``Invalid``, with what to do (``hint``), where there are several:
    whose admins see all others' accounts and give out machines is nothing to be guessed.
    """
    for org_id in said:
        if org_id is not None and org_id in orgs:
            return org_id
    if len(orgs) > 1:
        listed = ", ".join(f"{org_id} ({name})" for org_id, name in orgs.items())
        raise Invalid(
            f"there are {len(orgs)} organisations, {listed}, and nothing says which one runs the house: {hint}"
        )
    return next(iter(orgs), None)
