"""Where our declarations of Edgegap's API are not as the vendor's documents are, on purpose, and why.

For ``test_edgegap_operations.py``, which fails for a difference that is not here, and for one here that is gone.
"""

from __future__ import annotations

#: Operations of V2, which have a document of their own: id -> method, path, the status that is success.
V2 = {
    "deployment-create": ("POST", "/v2/deployments", 202),
    "private-fleets-deployment-create": ("POST", "/v2/private-fleets/deployments", 202),
    "private-fleet-hosts-list": ("GET", "/v2/private-fleets/{fleet_name}/hosts", 200),
}

_GONE = "what the request names may be gone, or never have been"
_ENDED = "the deployment may be gone, or have ended"

#: Failures that the documents do not have: id -> those, and why.
ERRORS: dict[str, tuple[set[int], str]] = {
    "app-versions-patch": ({409}, "the new name may be taken"),
    "app-version-whitelist-post": ({404}, _GONE),
    "app-version-whitelist-get": ({404}, _GONE),
    "app-version-whitelist-entry-delete": ({404}, _GONE),
    "locations-get": ({404}, _GONE),
    "get-session": ({404}, _GONE),
    "get-users-session": ({404}, _GONE),
    "put-users-session": ({404}, _GONE),
    "delete-users-session": ({404}, _GONE),
    "active-deployment-telemetry-post": ({404}, _GONE),
    "post-custom-session": ({404, 409, 410, 422}, "as for other sessions: gone, id taken, ended, no space"),
    "get-custom-session": ({404}, _GONE),
    "patch-custom-session": ({404, 410, 422}, "as for other sessions: gone, ended, no space"),
    "delete-custom-session": ({404, 410}, _ENDED),
    "get-custom-sessions": ({404}, _GONE),
    "post-custom-sessions": ({404, 410}, _ENDED),
    "delete-custom-sessions": ({404, 410}, _ENDED),
    "IP lookup": ({400}, "what is no address is refused"),
    "IPs lookup": ({400}, "what is no address is refused"),
    "registry-image-tag-delete": ({400}, "a registry may take no deletions"),
}

#: Deprecated by the vendor, and not here: id -> why.
DEPRECATED = {
    "deployment-update": "sessions are served here, and there is no other way to close a deployment to them",
}

#: Groups that any valid token may use.
WITHOUT_SCOPE = {"IpLookup", "Locations", "Statics", "Wizard"}

#: What is sent by GET and opens more than reading: id -> why.
OPENING = {
    "wizard-registry-credentials": "who has them can push",
}

#: What is sent by another method than GET and only reads: id -> why.
READING = {
    "deployments-available": "the body is a question",
    "active-deployment-telemetry-post": "the body is a question; the answer is read later",
}

_STATES = "the documents show one of the words; the facts tell them all"
_COMPLETE = "the same object as elsewhere, which Innkeeper tells whole; the documents promise less of it here"
_LOOSE = "required in some lists, optional in others"
_ADDED = "every list tells how long it is and where the page stands"

#: Parameters and bodies. What it looks like, as a pattern -> why.
DIFFERENCES: dict[str, str] = {
    # What is sent: limits where the documents have none.
    r".*: maximum 2147483647, not null": "the documents know no end of it; this is what 32 bits hold",
    r"(page|limit): minimum 1, not null": "as in the other lists",
    r"DeploymentAvailablePayload\.minimum_sockets: minimum 0, not null": "fewer than none is a mistake",
    r".*\.latitude: m(in|ax)imum -?90, not null": "there is nothing beyond the poles",
    r".*\.longitude: m(in|ax)imum -?180, not null": "once around",
    r".*\.webhook_url: maxLength 2048, not null": "longer than any address that browsers take",
    r"(ContextTagPayload\.name|DeployModel\.tags\[\]): m(in|ax)Length (1|40), not null": "as for other tags",
    r"(.*\.)?custom_id: m(in|ax)Length (1|255), not null": "it stands in a path",
    r".*\.(name|key|version): m(in|ax)Length (1|255), not null": "it stands in a path, or names a variable",
    r'.*\.(name|version): pattern "\^\[\^/\]\*\[\^/\.\]\[\^/\]\*\$", not null': "it stands in a path",
    r'(Env|MatchmakerComponentEnvs(Create|Update))\.key: pattern ".*", not null': "no such name can be set",
    r".*\.value: maxLength 4096, not null": "the facts tell it: 4 KB",
    r"IPAddressesLookupPayload\.addresses: maxItems 20, not null": "the facts tell it",
    r'steps: pattern ".*", not null': "a number and its unit",
    # What is sent: where years differ the wider is taken.
    r"ApplicationPatch\.name: minLength 1, not 3": "1 in 2024, 3 since",
    r"AppVersion(Update)?Payload\.time_to_deploy: minimum 10, not 15": "15, and yet 10 unless said",
    r"Env\.is_secret: here alone": "the older name of ``is_hidden``",
    r"raw: boolean, not string": "a text of 2024, ``true`` or ``false`` since",
    r"AppVersionPayload\.(caching_percent|create_time|last_updated): not here": "read only, and ignored where sent",
    r"Matchmaker(Managed)?Release(Create|Update)\.(app|version)_name: here alone": "answers have them, so they are set",
    r"LocationFilter\.field: city\|.*, not any": "the documents have the words where a deployment is asked for",
    # What is told: words.
    r"(Deployment|DeploymentListData)\.status: Status\.INITIALIZING\|.*, not any": _STATES,
    r"Status\.(current|last)_status: Status\.INITIALIZING\|.*, not any": _STATES,
    r".*Session(Context|Get)\.(kind|status): .*, not any": _STATES,
    r"(AppVersionPort|PortMapping)\.protocol: TCP\|.*, not any": _STATES,
    r"ImageTagDeletion\.status: any, not 204\|404\|500": "numbers are no words here",
    # What is told: numbers.
    r"MetricsModel\.datasets\[\]: number, not integer": "one model for all values; a whole number is a number",
    r"StaticSites\.port: integer, not number": "a port is a whole number",
    # What is told: more or less of it.
    r"Delete\.deployment_summary: here alone": "one model for both successes; with 202 it is left out",
    r"EndpointStorageGetResponse\.(name|access_key_id|endpoint|bucket): required here": _COMPLETE,
    r"PullProfileGetResponse\.(name|source|source_type|destination): required here": _COMPLETE,
    r"FleetGetResponse\.name: required here": _COMPLETE,
    r"FleetPoliciesGetResponse\.(name|enabled|type|minimum|maximum|threshold|data): required here": _COMPLETE,
    r"FleetPoliciesGetResponse\.trouble: here alone": "a policy that cannot be kept says why",
    r"ComponentCredentialsTold\.(username|token): may be null here": "a public image needs none",
    r"Pagination\.(number|(next|previous)_page_number): optional here": _LOOSE,
    r"Pagination\.(paginator|has_next|has_previous): optional here": _LOOSE,
    r"Paginator\.num_pages: optional here": _LOOSE,
    r"ImageTagList\.(pagination|total_count): here alone": _ADDED,
    r"(EndpointStorageListResponse|FleetList|HorizontalScalerConstraintList)\.total_count: here alone": _ADDED,
    r"LocationBeaconList\.pagination: here alone": _ADDED,
    r"Message\.message: optional here": "one model for all of them",
    r"(application-delete|delete-matchmaker.*): 200 told here": "the documents show a message and define none",
}
