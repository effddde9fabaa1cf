"""Every table of the house, and what is done with it when the house moves. Read by the modules beside this one.

A test compares the list with the migrations: whoever brings a table says here what becomes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from innkeeper.db.database import Value
from innkeeper.db.sql import listed

#: The ids of the apps that are moved, where not all are.
APPS = listed("$1")
_ORGS = f"select org_id from apps where id in ({APPS})"
_OVER = "select id from servers where state in ('stopped', 'failed')"
#: What is used is counted by organisation and month, and goes with the whole house alone.
_NONE = "1 = 0"


@dataclass(frozen=True, slots=True)
class Unique:
    """No two rows have the same values here. ``living`` names a column: rows that have something there do not count."""

    columns: tuple[str, ...]
    living: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """One table that is moved. Those that it refers to stand before it in the list."""

    name: str
    key: tuple[str, ...]
    rows: str = "1 = 1"  #: which of its rows are moved
    of_apps: str = _NONE  #: which of these, where only some apps are moved
    sealed: tuple[str, ...] = ()  #: columns with what was sealed for the row's id
    unique: tuple[Unique, ...] = ()  #: further rules beside the key's
    #: columns that go with another value
    instead: Mapping[str, Value] = field(default_factory=dict[str, Value])
    #: the same where only some apps are moved
    instead_of_apps: Mapping[str, Value] = field(default_factory=dict[str, Value])
    #: columns that the house changes by itself: rows that differ there alone are the same
    drifts: frozenset[str] = frozenset()
    #: a row that is there already stays as it is, whatever the other one says
    yields: bool = False


MOVED: tuple[Table, ...] = (
    Table("orgs", ("id",), of_apps=f"id in ({_ORGS})"),
    # Who runs the house: only a whole house says so, and not where somebody does already.
    Table("founding", ("one",), yields=True),
    # A person is the same person in both houses, whenever either heard of them first.
    Table(
        "users", ("email",), yields=True,
        of_apps=f"email in (select email from members where org_id in ({_ORGS})"
        f" union select created_by from org_tokens where org_id in ({_ORGS}))",
    ),
    Table("members", ("org_id", "email"), of_apps=f"org_id in ({_ORGS})"),
    Table("invites", ("org_id", "email"), of_apps=f"org_id in ({_ORGS})"),
    Table(
        "org_tokens", ("id",), of_apps=f"org_id in ({_ORGS})",
        unique=(Unique(("secret_hash",)), Unique(("org_id", "name"), "revoked_at")),
    ),
    Table("audit", ("id",), drifts=frozenset({"outcome"})),
    Table(
        "apps", ("id",), of_apps=f"id in ({APPS})", sealed=("secret_sealed",),
        unique=(Unique(("org_id", "name"), "deleted_at"),),
    ),
    # Uploads are not moved, and with them builds that are not finished. Nobody needs the login to a registry again.
    # The image has the name of its house: ``merging.py`` gives it the new one's.
    Table(
        "builds", ("key",), rows="state in ('succeeded', 'failed')",
        of_apps=f"app_id in ({APPS}) or key in (select build_key from releases where app_id in ({APPS}))",
        unique=(Unique(("org_id", "id")), Unique(("org_id", "number"))), instead={"login_sealed": None},
        drifts=frozenset({"image"}),
    ),
    Table(
        "fleets", ("id",), of_apps=f"id in (select fleet_id from releases where app_id in ({APPS}))",
        unique=(Unique(("org_id", "name")),),
    ),
    Table(
        "fleet_places", ("fleet_id", "location"),
        of_apps=f"fleet_id in (select fleet_id from releases where app_id in ({APPS}))",
    ),
    Table(
        "fleet_samples", ("fleet_id", "location", "at"), drifts=frozenset({"metal", "cloud", "used", "overhead"}),
        of_apps=f"fleet_id in (select fleet_id from releases where app_id in ({APPS}))",
    ),
    Table(
        "releases", ("id",), rows="build_key in (select key from builds where state in ('succeeded', 'failed'))",
        of_apps=f"app_id in ({APPS})", sealed=("env_sealed",), unique=(Unique(("app_id", "number")),),
    ),
    Table(
        "labels", ("id",), rows="release_id in (select id from releases where build_key in"
        " (select key from builds where state in ('succeeded', 'failed')))",
        of_apps=f"app_id in ({APPS})", sealed=("login_sealed",),
        unique=(Unique(("app_id", "name"), "deleted_at"), Unique(("app_id", "number"))),
    ),
    Table(
        "access_rules", ("id",), of_apps=f"label_id in (select id from labels where app_id in ({APPS}))",
        rows="label_id in (select id from labels where release_id in (select id from releases where build_key in"
        " (select key from builds where state in ('succeeded', 'failed'))))",
    ),
    Table(
        "storages", ("id",), of_apps=f"org_id in ({_ORGS})", sealed=("secret_sealed",),
        unique=(Unique(("org_id", "name")),),
    ),
    Table(
        "pull_profiles", ("id",), of_apps=f"storage_id in (select id from storages where org_id in ({_ORGS}))",
        unique=(Unique(("storage_id", "name")),),
    ),
    Table(
        "pull_links", ("profile_id", "label_id"),
        of_apps=f"label_id in (select id from labels where app_id in ({APPS}))",
        rows="label_id in (select id from labels where release_id in (select id from releases where build_key in"
        " (select key from builds where state in ('succeeded', 'failed'))))",
    ),
    Table(
        "reserves", ("id",), unique=(Unique(("org_id", "name")),),
        of_apps="id in (select reserve_id from reserve_labels where label_id in"
        f" (select id from labels where app_id in ({APPS})))",
    ),
    Table(
        "policies", ("id",), unique=(Unique(("reserve_id", "name")),),
        of_apps="reserve_id in (select reserve_id from reserve_labels where label_id in"
        f" (select id from labels where app_id in ({APPS})))",
    ),
    Table(
        "reserve_labels", ("reserve_id", "label_id"),
        of_apps=f"label_id in (select id from labels where app_id in ({APPS}))",
        rows="label_id in (select id from labels where release_id in (select id from releases where build_key in"
        " (select key from builds where state in ('succeeded', 'failed'))))",
    ),
    # Servers that are over. What they printed stays on the hosts where they ran. What they used is counted where the
    # sums are: not once more in a house that some apps come to.
    Table(
        "servers", ("id",), rows=f"id in ({_OVER})", of_apps=f"app_id in ({APPS})",
        instead={"output_gone": 1}, instead_of_apps={"counted": 1}, drifts=frozenset({"counted"}),
    ),
    Table(
        "orders", ("server_id",), rows=f"server_id in ({_OVER})", of_apps=f"app_id in ({APPS})",
        sealed=("env_sealed",), drifts=frozenset({"closed_at"}),
    ),
    Table(
        "server_tags", ("server_id", "name"), rows=f"server_id in ({_OVER})",
        of_apps=f"server_id in (select id from servers where app_id in ({APPS}))",
    ),
    # What waits to be kept is on hosts of this house.
    Table(
        "saved_outputs", ("server_id",), rows=f"state <> 'waiting' and server_id in ({_OVER})",
        of_apps=f"server_id in (select id from servers where app_id in ({APPS}))",
    ),
    Table("rooms", ("id",), rows="state = 'destroyed'", of_apps=f"app_id in ({APPS})"),
    Table(
        "bookings", ("room_id",), rows="room_id in (select id from rooms where state = 'destroyed')",
        of_apps=f"app_id in ({APPS})", unique=(Unique(("server_id", "custom_id")),),
    ),
    Table(
        "stays", ("id",), rows=f"server_id in ({_OVER})",
        of_apps=f"server_id in (select id from servers where app_id in ({APPS}))",
    ),
    Table(
        "lobbies", ("room_id",), rows="room_id in (select id from rooms where state = 'destroyed')",
        of_apps=f"app_id in ({APPS})",
    ),
    Table(
        "usage_samples", ("server_id", "at"), rows=f"server_id in ({_OVER})",
        of_apps=f"server_id in (select id from servers where app_id in ({APPS}))",
    ),
    Table(
        "usage_marks", ("server_id",), drifts=frozenset({"until", "sampled_at", "egress_bytes"}),
        rows="server_id in (select id from servers where state in ('stopped', 'failed') and counted = 0)",
    ),
    Table("usage_months", ("app_id", "month"), drifts=frozenset({"cpu_micros", "egress_bytes"})),
    Table("invoices", ("id",), unique=(Unique(("org_id", "month")),), drifts=frozenset({"paid_at", "paid_by"})),
    # Streams of events go on by the numbers of each organisation.
    Table("events", ("id",), unique=(Unique(("org_id", "number")),)),
    # Matchmakers belong to an organisation, not to an app of it.
    Table(
        "components", ("id",), of_apps=f"org_id in ({_ORGS})", sealed=("login_sealed",),
        unique=(Unique(("org_id", "name")),),
    ),
    Table(
        "component_variables", ("id",), sealed=("value_sealed",), unique=(Unique(("component_id", "name")),),
        of_apps=f"component_id in (select id from components where org_id in ({_ORGS}))",
    ),
    Table("matchmakers", ("id",), of_apps=f"org_id in ({_ORGS})", unique=(Unique(("org_id", "name")),)),
    Table(
        "rulebooks", ("id",), of_apps=f"org_id in ({_ORGS})", sealed=("text_sealed", "rules_sealed"),
        unique=(Unique(("org_id", "name")),),
    ),
    Table(
        "setups", ("id",), of_apps=f"matchmaker_id in (select id from matchmakers where org_id in ({_ORGS}))",
        unique=(Unique(("matchmaker_id", "name")),),
    ),
    Table(
        "webhooks", ("id",), rows="deleted_at is null", sealed=("secret_sealed", "old_secret_sealed"),
        drifts=frozenset({"failures", "delivered_at"}),
        of_apps=f"app_id in ({APPS}) or app_id is null and org_id in ({_ORGS})",
    ),
    # An organisation that has one in the other house already keeps it: its receivers there know it.
    Table(
        "callback_secrets", ("org_id",), of_apps=f"org_id in ({_ORGS})", sealed=("secret_sealed", "old_secret_sealed"),
        yields=True,
    ),
)  # fmt: skip

#: The tables that stay behind, and why.
LEFT: Mapping[str, str] = {
    "schema_migrations": "each house has its own; both must have the same",
    "house": "the name of a house is its own: two with one name would take each other's containers for theirs",
    "lease": "who keeps a database now",
    "hosts": "machines are set up for the house that keeps them",
    "held_ports": "ports of servers that live, and of those just over",
    "fleet_troubles": "of the hosts of this house",
    "usage_counting": "one row that every database has",
    "verifications": "mails that are on their way, with links into this house",
    "listeners": "follows from the webhooks, and from streams that are open",
    "tickets": "players who wait for a match ask again in the new house",
    "matches": "their players are told where they are, or ask again",
    "programs": "servers of the components of matchmakers, which the new house starts itself",
    "outbox": "news that this house has yet to tell",
    "deliveries": "what this house has told to webhooks, and has yet to tell",
    "callbacks": "what this house has told once to those who asked for it, and has yet to tell",
    "reserved_servers": "which policies servers of this house were wanted for",
    "comparisons": "of servers that live, and kept for an hour",
}

#: Of what is not moved, what people should know: a name for it in the singular, and the rows.
STANDING: Mapping[str, str] = {
    "living server": "select count(*) from servers where state not in ('stopped', 'failed')",
    "open room": "select count(*) from rooms where state <> 'destroyed'",
    "unfinished build": "select count(*) from builds where state not in ('succeeded', 'failed')",
}
