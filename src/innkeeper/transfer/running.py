"""Who runs a house that something was imported into: a decision. Asked by ``merging.py``.

A file of a whole house says it. A file of some apps does not, for in the house that they come from it may have been
somebody else; but a house that was never started needs an organisation whose admins run it, and it founds none of its
own once there is one.
"""

from __future__ import annotations

from collections.abc import Mapping

from innkeeper.accounts.operating import who_runs
from innkeeper.kit.errors import Invalid, NotFound

_HINT = "name it with --operator ID; its admins will see hosts, limits and accounts of all"


def decide(marked: str | None, orgs: Mapping[str, str], asked: str | None) -> str | None:
    """The id of the organisation that runs the house once the import is done; None where there is none at all.

    ``marked`` is the one that runs it already, by what the house or the file says; ``orgs`` are those of both, names by
    id; ``asked`` is the one that was named, by id or name. Raises ``NotFound`` and ``Invalid``.
    """
    chosen = None if asked is None else _named(orgs, asked)
    if marked is not None and chosen not in (None, marked):
        raise Invalid(
            f"{marked} ({orgs.get(marked, '')}) runs this house already, and an import does not change that: leave"
            " --operator out, or import into a data folder that is empty"
        )
    return marked if marked is not None else who_runs(orgs, [chosen], _HINT)


def _named(orgs: Mapping[str, str], asked: str) -> str:
    found = [asked] if asked in orgs else [org_id for org_id, name in orgs.items() if name == asked]
    if len(found) > 1:
        raise Invalid(f"--operator: several organisations have the name {asked!r}: write the id, {' or '.join(found)}")
    if not found:
        known = ", ".join(f"{org_id} ({name})" for org_id, name in orgs.items()) or "none at all"
        raise NotFound(f"--operator: there is no organisation {asked!r}, neither in the file nor in the house: {known}")
    return found[0]
