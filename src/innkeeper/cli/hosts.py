"""``innkeeper hosts``: the machines that servers run on, for the operator of the house."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import completing
from .talk import Talk, talks
from .telling import aside, columns, document, facts, many

if TYPE_CHECKING:
    from innkeeper.contract.house.hosts_v1 import Host

#: Seconds between two looks at a host that is drained.
_LOOK = 1.0


@click.group()
def hosts() -> None:
    """The machines that servers run on. For admins of the first organisation."""


def host_argument(command: Any) -> Any:
    """The host that a command is about."""
    return click.argument("name", metavar="HOST", shell_complete=completing.hosts)(command)


@hosts.command("list")
@talks
def list_hosts(talk: Talk) -> None:
    """List the hosts, how they stand, and what they have left."""
    found = talk.client.house.hosts_v1.get_hosts().hosts
    if talk.as_json:
        document(found)
        return
    columns(
        ("name", "state", "since", "servers", "free cpu", "free MiB", "free ports", "locations", "address", "engine"),
        (
            [
                one.name, one.state, one.since, one.servers, _left(one.free_cpu), _left(one.free_memory_mb),
                one.free_ports, ",".join(one.locations) or "all", one.address, one.engine,
            ]
            for one in found
        ),
        "There is no host, so no server can be started. Take one in with `innkeeper hosts add`.",
    )  # fmt: skip
    _tell_notes((one.name, note) for one in found for note in _notes_of(one))


def _notes_of(one: Host) -> list[str]:
    return [*one.notes, *([f"set aside for fleet {one.fleet}"] if one.fleet else [])]


@hosts.command()
@click.argument("name", metavar="[HOST]", required=False, shell_complete=completing.hosts)
@talks
def servers(talk: Talk, name: str | None) -> None:
    """List the servers of all apps, or those on a host, and why one has no place yet. The oldest comes first."""
    found = talk.client.house.servers_v1.get_servers(host=name).servers
    if talk.as_json:
        document(found)
        return
    columns(
        ("server", "host", "app", "region", "state", "rooms", "since", "address"),
        (
            [one.server_id, one.host, one.app_name, one.region, one.state, one.rooms, one.since, one.address]
            for one in found
        ),
        f"No server is on {name}." if name else "There is no server.",
    )
    _tell_notes((one.server_id, one.waits) for one in found if one.waits)


def _tell_notes(notes: Iterable[tuple[str, str]]) -> None:
    """What is to be known of some things, each with its name; what is the same of several is told once."""
    noted: dict[str, list[str]] = {}
    for name, note in notes:
        noted.setdefault(note, []).append(name)
    for note, names in noted.items():
        aside(f"{', '.join(names)}: {note}")


@hosts.command()
@click.argument("name", metavar="NAME")
@click.option(
    "--engine", required=True, metavar="URL", help="Its Docker or Podman: unix://, tcp:// or ssh://USER@HOST[/PATH]."
)
@click.option("--address", metavar="HOST", help="Where players reach it; the engine's host unless told.")
@click.option("--location", "locations", multiple=True, metavar="REGION", help="It serves; again for more. [all]")
@click.option("--ports", metavar="FIRST-LAST", help="Its servers' ports come from. [20000-29999]")
@click.option("--cpu", type=float, metavar="N", help="Processors to give out; no limit unless told.")
@click.option("--memory-mb", type=float, metavar="N", help="MiB to give out; no limit unless told.")
@click.option("--tls-ca", metavar="FILE", help="Who signed the engine's certificate; on Innkeeper's machine.")
@click.option("--tls-certificate", metavar="FILE", help="That we show to the engine; on Innkeeper's machine.")
@click.option("--tls-key", metavar="FILE", help="For it; on Innkeeper's machine.")
@click.option("--network", type=click.Choice(["published", "isolated", "host"]), help="How its servers are reached.")
@click.option("--read-only", is_flag=True, default=None, help="Its servers may write nowhere but to /tmp.")
@click.option(
    "--fleet",
    metavar="FLEET_ID",
    shell_complete=completing.fleets,
    help="It takes this fleet's servers and no others; all unless told.",
)
@click.option("--hosting", type=click.Choice(["metal", "cloud", "shared"]), help="Whose machine it is. [metal]")
@talks
def add(talk: Talk, /, name: str, locations: tuple[str, ...], **given: Any) -> None:
    """Take in a machine with a container engine. It is kept until it is removed.

    By SSH the key of the user that Innkeeper runs as has to open the door, and the host has to be known to that user.
    """
    from innkeeper.contract.house.hosts_v1 import NewHost

    said = {key: value for key, value in given.items() if value is not None}
    for file in ("tls_ca", "tls_certificate", "tls_key"):
        if file in said:
            said[file] = str(Path(said[file]).absolute())
    if locations:
        said["locations"] = list(locations)
    _tell(talk, talk.client.house.hosts_v1.add_host(NewHost(name=name, **said)))


@hosts.command()
@host_argument
@click.option("--wait", is_flag=True, help="Until no server is left there.")
@talks
def drain(talk: Talk, name: str, wait: bool) -> None:
    """Start nothing on a host any more, and let its rooms go on to their end.

    Servers that a standing order asks for are replaced elsewhere first. It is still drained after a restart.
    """
    host = talk.client.house.hosts_v1.drain_host(name)
    left = -1
    while wait and host.servers:
        if host.servers != left and not talk.as_json:
            left = host.servers
            aside(f"{many(left, 'server')} left on {name}")
        time.sleep(_LOOK)
        found = [one for one in talk.client.house.hosts_v1.get_hosts().hosts if one.name == name]
        if not found:  # somebody has removed it meanwhile
            break
        host = found[0]
    _tell(talk, host)


@hosts.command()
@host_argument
@talks
def resume(talk: Talk, name: str) -> None:
    """Start servers again on a host that was drained."""
    _tell(talk, talk.client.house.hosts_v1.resume_host(name))


@hosts.command()
@host_argument
@click.option("--force", is_flag=True, help="Though servers are there: they end, and their rooms with them.")
@talks
def remove(talk: Talk, name: str, force: bool) -> None:
    """Let a host go that was added. Those of the settings file are taken out there."""
    found = [one for one in talk.client.house.hosts_v1.get_hosts().hosts if one.name == name]
    talk.client.house.hosts_v1.remove_host(name, force=force)
    if any(one.state in ("silent", "lost") for one in found):
        aside(f"{name} does not answer: what runs there runs on, until its engine is a host of this Innkeeper again")
    if talk.as_json:
        document({"removed": name})
    else:
        click.echo(f"Removed {name}")


def _tell(talk: Talk, one: Host) -> None:
    if talk.as_json:
        document(one)
        return
    facts(
        [
            ("name", one.name),
            ("state", one.state),
            ("since", one.since),
            ("servers", one.servers),
            ("engine", one.engine),
            ("runs", f"{one.runs} for {one.architecture}" if one.architecture else one.runs),
            ("address", one.address),
            ("locations", ", ".join(one.locations) or "all"),
            ("ports", f"{one.ports}, {one.free_ports} of them free"),
            ("processors", _of(one.free_cpu, one.cpu)),
            ("memory, MiB", _of(one.free_memory_mb, one.memory_mb)),
            ("fleet", one.fleet or "none: it takes every server"),
            ("hosting", one.hosting),
            *(("note", note) for note in one.notes),
        ]
    )


def _left(value: float | None) -> str:
    return "no limit" if value is None else f"{value:g}"


def _of(free: float | None, whole: float | None) -> str:
    return "no limit" if free is None or whole is None else f"{free:g} of {whole:g} free"
