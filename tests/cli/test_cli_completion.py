"""What the shell completes: every id that a command takes, asked of a real Innkeeper."""

from __future__ import annotations

import click
import pytest
from click.shell_completion import ShellComplete

from innkeeper.cli import completing
from innkeeper.cli.program import program
from inns import RunningInn

from .conftest import EXAMPLE, Line
from .walking import commands

#: What an option or argument that is shown so takes, and what completes it.
COMPLETED = {
    "PROCESS": completing.processes,
    "PROCESS|ROOM": completing.rooms_and_processes,
    "ROOM": completing.rooms,
    "HOST": completing.hosts,
    "BUILD": completing.builds,
    "DEPLOYMENT": completing.deployments,
    "REQUEST_ID": completing.requests,
    "APP": completing.edgegap_apps,
    "VERSION": completing.versions,
    "WEBHOOK": completing.webhooks,
    "CALLBACK": completing.callbacks,
    "DELIVERY": completing.deliveries,
    "TOKEN_ID": completing.tokens,
    "ORG": completing.orgs,
    "INVOICE": completing.invoices,
    "KINDS": completing.kinds,
    "FLEET": completing.fleets,
    "FLEET_ID": completing.fleets,
    "--org": completing.orgs,
    "--deployment": completing.deployments,
    "--process": completing.processes,
    "--region": completing.regions,
    "--scope": completing.scopes,
}
#: Those that work on the data folder, and speak to nobody.
SILENT = ("up", "demo", "export", "import", "completion")


def completer(parameter: click.Parameter) -> object:
    return parameter._custom_shell_complete


def test_every_id_that_a_command_takes_is_completed() -> None:
    seen: set[str] = set()
    for line, command in commands():
        for parameter in command.params if line[0] not in SILENT else ():
            words = {(parameter.metavar or "").strip("[]").removesuffix("..."), *parameter.opts}
            if "--address" in words:
                continue  # a host of the network
            for word in words & COMPLETED.keys():
                assert completer(parameter) is COMPLETED[word], (line, parameter.name)
                seen.add(word)
    assert seen == COMPLETED.keys()


@pytest.mark.usefixtures("deployed")
def test_ids_come_with_what_people_know_them_by(
    innkeeper: Line, inn: RunningInn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INNKEEPER_DATA", str(inn.data))

    def completed(*line: str, beginning: str = "") -> dict[str, str | None]:
        found = ShellComplete(program, {}, "innkeeper", "_INNKEEPER_COMPLETE").get_completions([*line], beginning)
        return {one.value: one.help for one in found}

    build = innkeeper.json("builds", "create", EXAMPLE, "--build-id", "my-build", "--build-tag", "nice")
    assert build["buildId"] == "my-build"
    assert completed("builds", "delete", beginning="my")["my-build"] == "nice"
    assert "my-build" in completed("deployments", "create")
    [deployment] = innkeeper.json("deployments", "list")
    assert completed("rooms", "create", "--deployment").keys() == {deployment["deploymentId"]}
    hook = innkeeper.json("webhooks", "add", "http://127.0.0.1:9/hook", "--note", "n")["webhookId"]
    assert completed("webhooks", "show") == {hook: "http://127.0.0.1:9/hook"}
    innkeeper("tokens", "create", "watcher", "--scope", "processes:read")
    tokens = completed("tokens", "revoke")
    assert "watcher" in tokens.values()
    assert inn.org_id in completed("tokens", "list", "--org")
    assert inn.org_id in completed("orgs", "limits")
    assert completed("tokens", "create", "x", "--scope", beginning="builds:").keys() == {
        "builds:read", "builds:read-write",
    }  # fmt: skip
    assert completed("events", "--kinds", beginning="build.f") == {"build.failed": "it cannot"}
    assert completed("webhooks", "add", "--kinds", beginning="room.*,host.l").keys() == {"room.*,host.lost"}
    assert completed("billing", "paid") == {}
    assert completed("deploy", "--fleet-id") == {}


def test_a_token_that_belongs_to_no_operator_completes_its_own_organisation(innkeeper: Line, inn: RunningInn) -> None:
    token = innkeeper("tokens", "create", "look", "--scope", "orgs:read").stdout.strip()
    found = ShellComplete(program, {}, "innkeeper", "_X").get_completions(
        ["tokens", "list", "--url", inn.url, "--token", token, "--org"], ""
    )
    assert [one.value for one in found] == [inn.org_id]
