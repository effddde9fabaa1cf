"""What the server of a room does that is not open, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from innkeeper.cli.opening import doing
from innkeeper.contract.hathora.deployments_v3 import ContainerPort
from innkeeper.contract.hathora.processes_v3 import ProcessStatus, ProcessV3
from innkeeper.contract.hathora.words import Region, TransportType

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GAME = ContainerPort(name="default", port=7777, transport_type=TransportType.UDP)
WEB = ContainerPort(name="web-socket", port=7778, transport_type=TransportType.TCP)
BOOTED = {"scheduled_at": NOW, "booted_at": NOW - timedelta(seconds=5)}


def process(status: str = "starting", **more: Any) -> ProcessV3:
    times = dict.fromkeys(("scheduled_at", "booted_at", "started_at", "stopping_at", "terminated_at"))
    return ProcessV3(
        **{
            "process_id": "p", "app_id": "a", "deployment_id": "d", "region": Region.TOKYO,
            "status": ProcessStatus(status), "exposed_port": None, "additional_exposed_ports": [], "rooms_allocated": 1,
            "rooms_per_process": 1, "created_at": NOW, **times, **more,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("server", "ports", "said"),
    [
        (process(), [GAME], "its server p waits for a place on a host"),
        (process(scheduled_at=NOW), [], "its server p has its place on a host, and its program is not started there"),
        (process(**BOOTED), [GAME], "started 5 seconds ago and has not bound its port. Players can"),
        (process(**BOOTED), [GAME], "once it listens on $PORT (udp): the number is in that variable"),
        (
            process(**BOOTED),
            [GAME, WEB],
            "its ports. Players can connect once it listens on $PORT (udp) and $PORT_WEB_",
        ),
        (process(**BOOTED), [], "once it listens on $PORT: "),
        (process("failed", summary_exit_reason="exited with code 3"), [], "its server p is failed: exited with code 3"),
        (process("stopping"), [GAME], "its server p is stopping"),
    ],
)
def test_what_a_server_does_is_said(server: ProcessV3, ports: list[ContainerPort], said: str) -> None:
    assert said in doing(server, ports, NOW)
