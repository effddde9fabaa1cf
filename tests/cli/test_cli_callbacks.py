"""Callbacks through the command line, against a real Innkeeper."""

from __future__ import annotations

from typing import Any

import pytest

from innkeeper.cli.failures import Code
from innkeeper.contract.edgegap.deployments_v2 import BasicWebhook, DeploymentCreate, IpUser, UserAddress
from innkeeper.sdk import Edgegap, verify_callback
from inns import RunningInn, until

from .conftest import Line
from .test_cli_webhooks import Hook, hook

assert hook  # a fixture


def test_the_secret_is_printed_alone_and_rotated(innkeeper: Line) -> None:
    first = innkeeper("callbacks", "secret")
    assert first.stdout.startswith("whsec_")
    assert len(first.stdout.splitlines()) == 1
    assert innkeeper("callbacks", "secret").stdout == first.stdout
    rotated = innkeeper("callbacks", "secret", "--rotate")
    assert rotated.stdout != first.stdout
    assert "the one before signs as well" in rotated.stderr
    found = innkeeper.json("callbacks", "secret")
    assert (found["secret"], found["oldUntil"] is not None) == (rotated.stdout.strip(), True)


@pytest.mark.usefixtures("deployed")
def test_what_was_told_and_once_more(innkeeper: Line, inn: RunningInn, hook: Hook) -> None:
    app: dict[str, Any] = next(one for one in innkeeper.json("apps", "list") if one["appName"] == "first")
    hook.status = 500
    with Edgegap(inn.token, server=inn.url) as edgegap:
        made = edgegap.deployments_v2.create_deployment(
            DeploymentCreate(
                application=app["appName"], version="release-1", webhook_on_ready=BasicWebhook(url=hook.url),
                users=[IpUser(user_data=UserAddress(ip_address="127.0.0.1"))],
            )
        )  # fmt: skip
        until(lambda: hook.got, what="the callback")
        [one] = innkeeper.json("callbacks", "list", "--subject", made.request_id)
        assert (one["kind"], one["occasion"], one["state"]) == ("edgegap.deployment", "ready", "pending")
        hook.status = 200
        assert innkeeper("callbacks", "retry", one["callbackId"]).stdout == f"On its way again: {one['callbackId']}\n"
        until(lambda: innkeeper.json("callbacks", "list", "--state", "delivered"))
        secret = innkeeper("callbacks", "secret").stdout.strip()
        assert {body for _, body in hook.got} == {verify_callback(secret, *hook.got[-1])}
        assert innkeeper.lines("callbacks", "list")[1][:2] == [one["callbackId"], "edgegap.deployment"]
        edgegap.deployments.stop_deployment(made.request_id)
    refused = innkeeper("callbacks", "retry", "cbk-none", code=Code.NOT_FOUND)
    assert "there is no callback cbk-none" in refused.stderr
