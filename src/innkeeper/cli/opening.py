"""What the server of a room does while the room is not open: for who waited in vain. Used by ``rooms``.

It is told from what every token may ask that may open rooms; with more rights more is known, such as port numbers.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .telling import many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from innkeeper.contract.hathora.deployments_v3 import ContainerPort
    from innkeeper.contract.hathora.processes_v3 import ProcessV3
    from innkeeper.contract.hathora.rooms_v2 import Room

    from .talk import Talk

_SECONDS = 2.0  # for each question: whoever waited has waited long enough


def server_now(talk: Talk, app_id: str, room: Room | None) -> tuple[str, dict[str, Any]]:
    """What to say of the server of a room that is not open, in sentences without the last stop, and facts for JSON.

    Nothing is said where it cannot be asked.
    """
    from innkeeper.contract.errors import CallError
    from innkeeper.sdk import NO_RETRY

    if room is None:
        return "", {}
    seat = room.current_allocation
    if seat is None:
        return f"it is {room.status}, and has no server", {}
    get_process = talk.client.processes_v3.get_process.options(timeout=_SECONDS, retry=NO_RETRY)
    get_deployment = talk.client.deployments_v3.get_deployment.options(timeout=_SECONDS, retry=NO_RETRY)
    try:
        server = get_process(seat.process_id, app_id)
    except CallError:
        return "", {"process": seat.process_id}
    try:
        deployment = get_deployment(server.deployment_id, app_id)
        ports = [deployment.default_container_port, *deployment.additional_container_ports]
    except CallError:  # a token that may open rooms need not be one that may see deployments
        ports = []
    text = doing(server, ports, datetime.now(UTC))
    if server.booted_at is not None:
        text += f". To see what it prints: {talk.again('logs', server.process_id)}"
    return text, {"process": server.process_id, "processStatus": str(server.status)}


def doing(server: ProcessV3, ports: Sequence[ContainerPort], now: datetime) -> str:
    """What a server does that is not ready; ``ports`` are those that its program shall bind, none where not known."""
    from innkeeper.hosting.launching import bound_by

    name = f"its server {server.process_id}"
    if server.status != "starting":
        return f"{name} is {server.status}" + (f": {server.summary_exit_reason}" if server.summary_exit_reason else "")
    if server.scheduled_at is None:
        return f"{name} waits for a place on a host"
    if server.booted_at is None:
        return f"{name} has its place on a host, and its program is not started there yet"
    seconds = max(0, round((now - server.booted_at).total_seconds()))
    bind = " and ".join(f"${bound_by(port.name)} ({port.transport_type})" for port in ports) or "$PORT"
    what = "port" if len(ports) < 2 else "ports"
    return (
        f"the program of {name} was started {many(seconds, 'second')} ago and has not bound its {what}. Players can"
        f" connect once it listens on {bind}: the number is in that variable of its environment"
    )
