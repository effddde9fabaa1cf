"""The house's own API: what its operator does beside the vendors' APIs. One module per group."""

from __future__ import annotations

from innkeeper.contract.operation import Api, Credential
from innkeeper.contract.shape import Camel


class HouseFault(Camel):
    """Why there is no other answer."""

    message: str  #: for people


HOUSE = Api(
    "house",
    title="Innkeeper's own API",
    version="1",
    package="innkeeper.contract.house",
    servers=[],
    resources={
        "apps_v1": "apps_v1:AppsV1",
        "audit_v1": "audit_v1:AuditV1",
        "billing_v1": "billing_v1:BillingV1",
        "callbacks_v1": "callbacks_v1:CallbacksV1",
        "events_v1": "events_v1:EventsV1",
        "hosts_v1": "hosts_v1:HostsV1",
        "orgs_v1": "orgs_v1:OrgsV1",
        "releases_v1": "releases_v1:ReleasesV1",
        "servers_v1": "servers_v1:ServersV1",
        "tokens_v1": "tokens_v1:TokensV1",
        "webhooks_v1": "webhooks_v1:WebhooksV1",
    },
    not_yet={},
    error=HouseFault,
    credentials={
        "org": Credential(
            "operatorToken",
            "A token of an organisation. For hosts, servers, organisations, bills and apps that bring their id it has"
            " to be that of an admin of the organisation that runs the house: the one that the first start made.",
        ),
    },
    within="house",
    beyond=dict.fromkeys(("hosts:read", "hosts:read-write"), "an admin of the organisation that runs the house"),
)

operation = HOUSE.operation
stream = HOUSE.stream
