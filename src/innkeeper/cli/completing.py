"""The values that a shell completes: names and ids of what the Innkeeper has that the line speaks to.

Handed to click by the options and arguments of the commands. It asks the API quietly: where nobody answers soon, or
the token is not good, nothing is completed and nothing is said. Shells that can show a word beside an id are given it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from .talk import Talk

#: What completes the value of an option or argument.
Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]
#: Words, each with what a person knows it by.
Told = Iterable[tuple[str, str]]

_SECONDS = 1.0  # for each question: somebody waits with a finger on the key
_MOST_SERVERS = 20  # whose rooms are asked for, one call each
_MOST_DEPLOYMENTS = 100


def _by(ask: Callable[[Talk, dict[str, Any]], Told]) -> Completer:
    """Completes by asking the Innkeeper that the line speaks to; ``ask`` is given the line's other values."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from .talk import DEFAULT_DATA, Talk  # which imports this module

        # Click leaves an argument of the line among the rest where an option that follows it has no value yet.
        said: dict[str, Any] = {"rest": ctx.args, **ctx.params}
        there = (said.get("url"), said.get("token"), said.get("data") or DEFAULT_DATA)
        try:
            with closing(Talk(*there, as_json=False, timeout=_SECONDS)) as talk:
                return _fitting(ask(talk, said), incomplete)
        except Exception:  # whatever it is: a line that is being written is no place to tell it
            return []

    return complete


def _fitting(words: Told, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(word, help=known_by or None) for word, known_by in words if word.startswith(incomplete)]


def _apps(talk: Talk, said: dict[str, Any]) -> Told:
    return ((app.app_name, app.app_id) for app in talk.apps())


def _regions(talk: Talk, said: dict[str, Any]) -> Told:
    return ((str(ping.region), "") for ping in talk.client.discovery_v2.get_ping_service_endpoints())


def _processes(talk: Talk, said: dict[str, Any]) -> Iterator[tuple[str, str]]:
    from .processes import ALIVE, each_process

    return ((one.process_id, str(one.status)) for one in each_process(talk, talk.app_id(said.get("app")), ALIVE))


def _rooms(talk: Talk, said: dict[str, Any]) -> Iterator[tuple[str, str]]:
    app_id = talk.app_id(said.get("app"))
    for server, _ in itertools.islice(_processes(talk, {"app": app_id}), _MOST_SERVERS):
        for room in talk.client.rooms_v2.get_active_rooms_for_process(server, app_id):
            yield room.room_id, str(room.status)


def _rooms_and_processes(talk: Talk, said: dict[str, Any]) -> Told:
    return itertools.chain(_rooms(talk, said), _processes(talk, said))


def _hosts(talk: Talk, said: dict[str, Any]) -> Told:
    return ((host.name, str(host.state)) for host in talk.client.house.hosts_v1.get_hosts().hosts)


def _builds(talk: Talk, said: dict[str, Any]) -> Told:
    return ((build.build_id, build.build_tag or "") for build in talk.client.builds_v3.get_builds().builds)


def _deployments(talk: Talk, said: dict[str, Any]) -> Told:
    pages = talk.client.deployments_v3.get_deployments.pages(talk.app_id(said.get("app")))
    every = (one for page in pages for one in page.deployments)
    return ((one.deployment_id, one.deployment_tag or "") for one in itertools.islice(every, _MOST_DEPLOYMENTS))


def _edgegap_apps(talk: Talk, said: dict[str, Any]) -> Told:
    pages = talk.edgegap.applications.list_applications.pages(limit=_MOST_DEPLOYMENTS)
    return ((app.name, "") for page in pages for app in page.applications)


def _versions(talk: Talk, said: dict[str, Any]) -> Told:
    app = said.get("app") or next(iter(said["rest"]), None)
    pages = talk.edgegap.applications.list_app_versions.pages(app, limit=_MOST_DEPLOYMENTS) if app else ()
    return ((one.name, f"{one.docker_image}:{one.docker_tag}") for page in pages for one in page.versions)


def _requests(talk: Talk, said: dict[str, Any]) -> Told:
    from .edgegap import each_deployment
    from .edgegap_telling import state_of

    found = itertools.islice(each_deployment(talk, None), _MOST_DEPLOYMENTS)
    return ((one.request_id, state_of(one.status)) for one in found)


def _fleets(talk: Talk, said: dict[str, Any]) -> Told:
    return ((fleet.fleet_id, fleet.name) for fleet in talk.client.fleets_v2.get_fleets().fleets)


def _callbacks(talk: Talk, said: dict[str, Any]) -> Told:
    page = talk.client.house.callbacks_v1.get_callbacks()
    return ((one.callback_id, f"{one.kind} {one.subject} {one.occasion}") for one in page.callbacks)


def _webhooks(talk: Talk, said: dict[str, Any]) -> Told:
    return ((one.webhook_id, one.url) for one in talk.client.house.webhooks_v1.get_webhooks().webhooks)


def _deliveries(talk: Talk, said: dict[str, Any]) -> Told:
    page = talk.client.house.webhooks_v1.get_deliveries(said["webhook_id"])
    return ((one.delivery_id, f"{one.type} {one.state}") for one in page.deliveries)


def _tokens(talk: Talk, said: dict[str, Any]) -> Told:
    org_tokens = talk.client.tokens_v1.get_org_tokens(said.get("org") or talk.org_id()).tokens
    return ((one.org_token_id, one.name) for one in org_tokens if one.status == "active")


def _orgs(talk: Talk, said: dict[str, Any]) -> Told:
    """Those of the house, where its operator asks; else those that the token belongs to."""
    from innkeeper.contract.errors import StatusError

    try:
        return [(org.org_id, org.name) for org in talk.client.house.orgs_v1.get_orgs().orgs]
    except StatusError:
        return [(org.org_id, org.name or "") for org in talk.client.organizations_v1.get_orgs().orgs]


def _invoices(talk: Talk, said: dict[str, Any]) -> Told:
    invoices_of = talk.client.house.billing_v1.get_invoices
    return ((one.invoice_id, f"{one.month} {one.state}") for one in invoices_of().invoices)


apps = _by(_apps)  #: names of apps
regions = _by(_regions)  #: those that are served
rooms = _by(_rooms)  #: those that are open
processes = _by(_processes)  #: servers that run
rooms_and_processes = _by(_rooms_and_processes)  #: what has a log
hosts = _by(_hosts)
builds = _by(_builds)
deployments = _by(_deployments)  #: of the app, the newest first
edgegap_apps = _by(_edgegap_apps)  #: names of apps
versions = _by(_versions)  #: of the app, as the Edgegap API has them
requests = _by(_requests)  #: deployments as the Edgegap API has them: those that have not ended
fleets = _by(_fleets)
callbacks = _by(_callbacks)
webhooks = _by(_webhooks)
deliveries = _by(_deliveries)  #: of the webhook that was named before
tokens = _by(_tokens)  #: those that can be revoked
orgs = _by(_orgs)
invoices = _by(_invoices)


def kinds(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Kinds of events, and patterns of them; several may stand behind commas."""
    from innkeeper.notices.kinds import ALL, KINDS, TOPICS

    before, comma, _ = incomplete.rpartition(",")
    words = [(ALL, "all"), *((f"{topic}.*", "all of these") for topic in TOPICS), *KINDS.items()]
    return _fitting(((f"{before}{comma}{word}", meaning) for word, meaning in words), incomplete)


def scopes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What a token may do."""
    from innkeeper.contract.hathora.words import Scope

    return _fitting(((str(scope), "") for scope in Scope), incomplete)
