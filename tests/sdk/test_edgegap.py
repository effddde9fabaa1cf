"""Clients of the Edgegap API: how they are made, what their calls carry, what their errors say."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from innkeeper import sdk
from innkeeper.contract.edgegap import EDGEGAP
from innkeeper.contract.edgegap.deployments import Deployments
from innkeeper.contract.edgegap.deployments_v2 import DeploymentCreate, DeploymentsV2, IpUser, UserAddress
from innkeeper.contract.edgegap.words import Deployment
from innkeeper.sdk import Conflict, Edgegap, Invalid, Unobtainable
from innkeeper.sdk.edgegap import whom
from innkeeper.sdk.edgegap_inside import doors

from .conftest import Flavour
from .edgegap_bodies import PLACE
from .scripted import Reply, Seen, Server

CREATE = DeploymentCreate(application="game", version="v1", users=[IpUser(user_data=UserAddress(ip_address="1.2.3.4"))])
CONTEXT = {
    "request_id": "93924761ccde", "public_ip": "198.51.100.7", "status": "Status.READY", "ready": True,
    "whitelisting_active": False, "fqdn": "93924761ccde.play.example", "ports": None, "location": PLACE, "tags": [],
    "sockets": None, "sockets_usage": None, "is_joinable_by_session": False,
}  # fmt: skip
VENDOR = EDGEGAP.servers[0]


def test_every_group_of_operations_is_a_property() -> None:
    client = Edgegap("t", server="http://127.0.0.1:9")
    for name in EDGEGAP.resources:
        assert isinstance(getattr(client, name), EDGEGAP.resource(name))
        assert getattr(client, name) is getattr(client, name)


@pytest.mark.parametrize(
    ("token", "server", "environ", "found"),
    [
        ("t", None, {}, ("t", 0)),
        (None, None, {}, (None, 0)),
        (None, None, {"EDGEGAP_TOKEN": "e"}, ("e", 0)),
        (None, None, {"EDGEGAP_API_TOKEN": "a"}, ("a", 0)),
        (None, None, {"EDGEGAP_TOKEN": "e", "EDGEGAP_API_TOKEN": "a"}, ("e", 0)),
        # A house's token stays in the house.
        (None, None, {"INNKEEPER_TOKEN": "i"}, (None, 0)),
        (None, 0, {"INNKEEPER_TOKEN": "i", "INNKEEPER_URL": "http://inn"}, (None, 0)),
        (None, VENDOR, {"INNKEEPER_TOKEN": "i"}, (None, VENDOR)),
        (None, VENDOR + "/", {"INNKEEPER_TOKEN": "i", "EDGEGAP_TOKEN": "e"}, ("e", VENDOR + "/")),
        (None, None, {"EDGEGAP_BASE_URL": VENDOR, "INNKEEPER_TOKEN": "i"}, (None, VENDOR)),
        *(
            (None, server, {"INNKEEPER_TOKEN": "i", "EDGEGAP_TOKEN": "e"}, ("e", server))
            for server in (
                "https://staging-api.edgegap.com",
                "https://API.EdgeGap.com",
                "https://api.edgegap.com:443/v",
                "https://api.edgegap.com.",
                "https://edgegap.com",
            )
        ),
        (None, "https://notedgegap.com", {"INNKEEPER_TOKEN": "i"}, ("i", "https://notedgegap.com")),
        (None, "http://edgegap.com.example.org", {"INNKEEPER_TOKEN": "i"}, ("i", "http://edgegap.com.example.org")),
        (None, None, {"INNKEEPER_TOKEN": "i", "INNKEEPER_URL": "http://inn"}, ("i", "http://inn")),
        (None, None, {"EDGEGAP_TOKEN": "e", "INNKEEPER_URL": "http://inn"}, ("e", "http://inn")),
        (None, None, {"EDGEGAP_TOKEN": "e", "EDGEGAP_BASE_URL": "http://inn/"}, ("e", "http://inn/")),
        (None, None, {"INNKEEPER_URL": "http://a", "EDGEGAP_BASE_URL": "http://b"}, (None, "http://a")),
        ("t", "http://b", {"INNKEEPER_URL": "http://a", "INNKEEPER_TOKEN": "i"}, ("t", "http://b")),
        (None, "http://b", {"INNKEEPER_TOKEN": "i", "EDGEGAP_TOKEN": "e"}, ("i", "http://b")),
    ],
)
def test_which_token_goes_where(token: Any, server: Any, environ: dict[str, str], found: Any) -> None:
    assert whom(token, server, None, environ) == found


def test_a_stub_is_its_own_server() -> None:
    stub = sdk.Stub()
    stub.expect(Deployments.stop_deployment, "93924761ccde").fails(410, "it has ended")
    stub.expect(DeploymentsV2.create_deployment, CREATE).fails(422, "no space")
    client = Edgegap("t", transport=stub)
    assert repr(client) == "<Edgegap http://stub.invalid>"
    with pytest.raises(sdk.Gone, match="it has ended"):
        client.deployments.stop_deployment("93924761ccde")
    with pytest.raises(Invalid):
        client.deployments_v2.create_deployment(CREATE)
    stub.done()


@pytest.mark.parametrize("token", ["0b-1", "token 0b-1"])
@pytest.mark.parametrize("end", ["", "/", "/prefix", "/prefix/"])
def test_what_a_call_carries(default_flavour: Flavour, token: str, end: str) -> None:
    with Server(Reply(202, {"request_id": "93924761ccde"})) as server:
        client = default_flavour.edgegap(server.url + end, token)
        answer = default_flavour.run(client.deployments_v2.create_deployment.raw(CREATE))
        seen = server.seen[0]
    assert (answer.status, answer.value.request_id) == (202, "93924761ccde")
    assert (seen.method, seen.target) == ("POST", end.rstrip("/") + "/v2/deployments")
    assert seen.headers["authorization"] == "token 0b-1"
    assert seen.json == {
        "application": "game",
        "version": "v1",
        "users": [{"user_type": "ip_address", "user_data": {"ip_address": "1.2.3.4"}}],
    }


def test_pages_are_asked_for_as_they_are_used(default_flavour: Flavour) -> None:
    def page(seen: Seen) -> Reply:
        number = int(seen.target.rpartition("page=")[2]) if "page=" in seen.target else 1
        following = number + 1 if number < 3 else None
        session = {"session_id": f"{number}-S", "status": "Ready", "ready": True, "linked": True, "kind": "Seat"}
        pagination = {"number": number, "next_page_number": following}
        return Reply(200, {"data": [{**session, "user_count": 1}], "pagination": pagination})

    with Server(page) as server:
        client = default_flavour.edgegap(server.url)
        pages = default_flavour.listed(client.sessions.list_sessions.pages())
        assert len(server.seen) == 3
    assert [session.session_id for page in pages for session in page.data] == ["1-S", "2-S", "3-S"]


@pytest.mark.parametrize(
    ("reply", "kind", "text"),
    [
        (Reply(424, {"message": "the image cannot be had"}), Unobtainable, "424 from deploy: the image cannot be had"),
        (
            Reply(400, {"message": "Input payload validation failed", "errors": {"app_name": "is missing", "x": "y"}}),
            sdk.BadRequest,
            "400 from deploy: Input payload validation failed (app_name: is missing; x: y)",
        ),
        (Reply(400, {"message": "no", "errors": {}}), sdk.BadRequest, "400 from deploy: no"),
        (Reply(400, {"message": "no", "errors": ["a"]}), sdk.BadRequest, "400 from deploy: no"),
        (Reply(409, {"message": "no", "errors": None}), Conflict, "409 from deploy: no"),
    ],
)
def test_an_error_says_all_that_was_told(default_flavour: Flavour, reply: Reply, kind: Any, text: str) -> None:
    with Server(reply) as server:
        client = default_flavour.edgegap(server.url)
        error = default_flavour.fails(
            kind, lambda: client._caller.call(Deployments.create_deployment, ({"app_name": "g"},), {}, {})
        )
    assert str(error) == text
    assert error.told == reply.body


def test_without_space_the_failed_deployment_is_told(default_flavour: Flavour) -> None:
    body = {"message": "no space", "request_id": "93924761ccde", "details": {"why": "full"}}
    with Server([Reply(422, body), Reply(422, b"not JSON")]) as server:
        client = default_flavour.edgegap(server.url)
        error = default_flavour.fails(Invalid, lambda: client.deployments_v2.create_deployment(CREATE))
        assert error.told["request_id"] == "93924761ccde"
        error = default_flavour.fails(Invalid, lambda: client.deployments_v2.create_deployment(CREATE))
        assert error.told == {}


# -- from inside ---------------------------------------------------------------------------------------------------


def environ(base: str) -> dict[str, str]:
    return {
        "ARBITRIUM_CONTEXT_URL": f"{base}/v1/context/93924761ccde/12",
        "ARBITRIUM_CONTEXT_TOKEN": "context-secret",
        "ARBITRIUM_DELETE_URL": f"{base}/v1/self/stop/93924761ccde/34",
        "ARBITRIUM_DELETE_TOKEN": "stop-secret",
    }


def test_a_deployment_seen_from_inside(default_flavour: Flavour) -> None:
    def answer(seen: Seen) -> Reply:
        if seen.method == "POST":
            return Reply(200, {"name": "full"})
        return Reply(204) if seen.target.endswith("/full") else Reply(200, {**CONTEXT, "message": "soon"})

    with Server(answer) as server:
        inside = default_flavour.inside(environ(server.url + "/inn"))
        assert isinstance(default_flavour.run(inside.context()), Deployment)
        assert default_flavour.run(inside.add_tag("full")).name == "full"
        default_flavour.run(inside.remove_tag("full"))
        default_flavour.run(inside.stop())
        context = "/inn/v1/context/93924761ccde/12"
        assert [(seen.method, seen.target, seen.headers["authorization"]) for seen in server.seen] == [
            ("GET", context, "context-secret"),
            ("POST", context + "/tags", "context-secret"),
            ("DELETE", context + "/tags/full", "context-secret"),
            ("DELETE", "/inn/v1/self/stop/93924761ccde/34", "stop-secret"),
        ]


def test_one_that_is_stopped_already_is_stopped(default_flavour: Flavour) -> None:
    with Server(Reply(410, {"message": "it has ended"})) as server:
        default_flavour.run(default_flavour.inside(environ(server.url)).stop())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"ARBITRIUM_CONTEXT_URL": "", "ARBITRIUM_DELETE_URL": ""},
            "ARBITRIUM_CONTEXT_URL and ARBITRIUM_CONTEXT_TOKEN",
        ),
        ({"ARBITRIUM_CONTEXT_URL": "http://inn/v1/status/x"}, "not an address that a deployment is given"),
        ({"ARBITRIUM_DELETE_URL": "inn/v1/self/stop/a/1"}, "not an address that a deployment is given"),
    ],
)
def test_an_environment_that_cannot_be_used(change: dict[str, str], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        doors({**environ("http://inn"), **change})


def test_one_door_is_enough_for_what_it_leads_to() -> None:
    inside = Edgegap.inside({**environ("http://127.0.0.1:9"), "ARBITRIUM_DELETE_TOKEN": ""})
    with pytest.raises(ValueError, match="ARBITRIUM_DELETE_URL and ARBITRIUM_DELETE_TOKEN are not set"):
        inside.stop()
    stop = "http://inn//v1/self/stop/a/k-1/"
    found = doors({"ARBITRIUM_DELETE_URL": stop, "ARBITRIUM_DELETE_TOKEN": "secret"})
    assert found.server == "http://inn"
    assert found.to_stop().number == "k-1"


def test_who_uses_the_other_api_alone_loads_nothing_of_this_one() -> None:
    program = """if True:
        import sys
        from innkeeper.sdk import HathoraCloud, NotFound
        HathoraCloud("t", server="http://127.0.0.1:9").rooms_v2
        assert not [name for name in sys.modules if "edgegap" in name], sys.modules
        from innkeeper.sdk import Edgegap
        Edgegap("t", server="http://127.0.0.1:9").deployments
        assert not [name for name in sys.modules if "matchmaker" in name or "inside" in name], sys.modules
    """
    subprocess.run([sys.executable, "-c", program], check=True)
