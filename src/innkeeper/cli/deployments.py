"""``innkeeper deployments``: a build and how it is run. The newest of an app serves its new rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import completing
from .howto import config_of, howto_options, lost, masked
from .talk import Talk, app_option, talks
from .telling import aside, columns, document, facts

if TYPE_CHECKING:
    from innkeeper.contract.hathora.deployments_v3 import DeploymentV3


@click.group()
def deployments() -> None:
    """A build and how it is run. The newest of an app serves its new rooms."""


@deployments.command("list")
@app_option
@talks
def list_deployments(talk: Talk, app: str | None) -> None:
    """List an app's deployments, the newest first."""
    app_id = talk.app_id(app)
    found = [one for page in talk.client.deployments_v3.get_deployments.pages(app_id) for one in page.deployments]
    if talk.as_json:
        document(found)
        return
    columns(
        ("id", "tag", "build", "build tag", "rooms", "cpu", "mib", "created"),
        (
            [
                one.deployment_id, one.deployment_tag, one.build_id, one.build_tag, one.rooms_per_process,
                one.requested_cpu, one.requested_memory_mb, one.created_at,
            ]
            for one in found
        ),
        "There is no deployment yet. Make one with `innkeeper deploy DIR`.",
    )  # fmt: skip


@deployments.command()
@click.argument("deployment_id", metavar="DEPLOYMENT", shell_complete=completing.deployments)
@app_option
@talks
def info(talk: Talk, deployment_id: str, app: str | None) -> None:
    """Tell what a deployment runs, and how."""
    _tell(talk, talk.client.deployments_v3.get_deployment(deployment_id, talk.app_id(app)))


@deployments.command()
@app_option
@talks
def latest(talk: Talk, app: str | None) -> None:
    """Tell what new rooms run."""
    _tell(talk, talk.client.deployments_v3.get_latest_deployment(talk.app_id(app)))


@deployments.command()
@click.argument("build_id", metavar="BUILD", shell_complete=completing.builds)
@app_option
@howto_options
@talks
def create(talk: Talk, /, build_id: str, app: str | None, **howto: Any) -> None:
    """Serve new rooms with a build that is there already. Values of variables are not told in the result."""
    app_id = talk.app_id(app)
    before = talk.client.deployments_v3.get_latest_deployment(app_id) if howto["from_latest"] else None
    config = config_of(build_id, howto, before)
    for text in lost(config):
        aside(f"innkeeper: {text}")
    made = talk.client.deployments_v3.create_deployment(config, app_id)
    document(masked(made)) if talk.as_json else click.echo(made.deployment_id)


def _tell(talk: Talk, one: DeploymentV3) -> None:
    if talk.as_json:
        document(one)
        return
    ports = [one.default_container_port, *one.additional_container_ports]
    facts(
        [
            ("id", one.deployment_id),
            ("tag", one.deployment_tag),
            ("build", one.build_id),
            ("build tag", one.build_tag),
            ("ports", ", ".join(f"{port.name}:{port.port}/{port.transport_type}" for port in ports)),
            ("rooms per process", one.rooms_per_process),
            ("processors", one.requested_cpu),
            ("memory", f"{one.requested_memory_mb:g} MiB"),
            ("ends when idle", one.idle_timeout_enabled),
            ("fleet", one.fleet_id),
            # The values may be secrets; --json shows them to who asks for them here.
            ("environment", ", ".join(variable.name for variable in one.env) or "none"),
            ("created", one.created_at),
            ("by", one.created_by),
        ]
    )
