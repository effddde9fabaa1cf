"""What the end-to-end tests deploy, and how a player asks it whether it lives. Used by the tests beside it."""

from __future__ import annotations

import io
import shutil
import socket
import struct
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from innkeeper.contract.hathora.apps_v2 import AuthConfiguration, CreateAppConfig, RecordStringNever
from innkeeper.contract.hathora.deployments_v3 import DeploymentConfigV3, EnvVariable
from innkeeper.contract.hathora.words import TransportType
from inns import RunningInn

TEEWORLDS = Path("/usr/games/teeworlds-server")
BZFS = Path("/usr/games/bzfs")
#: Real servers that nobody here wrote, by Procfile; none reads an environment variable for its port.
PROCFILES = {
    "teeworlds": f'server: {TEEWORLDS} "sv_port $PORT" "bindaddr 127.0.0.1" "sv_register 0" "sv_name inn"\n',
    "bzflag": f"server: {BZFS} -i 127.0.0.1 -p $PORT -q -j\n",
}

#: Marks for tests that run them.
REAL_GAMES = [
    pytest.mark.skipif(not TEEWORLDS.exists(), reason="needs the package teeworlds-server"),
    pytest.mark.skipif(not BZFS.exists(), reason="needs the package bzflag-server"),
]

#: A game server of a few lines that starts in two milliseconds: it answers every packet with the id of its server, and
#: where LEDGER is a port of loopback it says there once that it was started.
PERL = shutil.which("perl") or "/usr/bin/perl"
TINY = r"""
use strict; use Socket;
my ($us, $ledger) = ($ENV{HATHORA_PROCESS_ID}, $ENV{LEDGER});
if ($ledger) {
    socket(my $l, AF_INET, SOCK_DGRAM, 0) or die $!;
    send($l, "$us $$ $ENV{PORT}", 0, pack_sockaddr_in($ledger, INADDR_LOOPBACK)) or die $!;
}
socket(my $s, AF_INET, SOCK_DGRAM, 0) or die $!;
bind($s, pack_sockaddr_in($ENV{PORT}, INADDR_LOOPBACK)) or die $!;
$| = 1; print "started $us\n";
while (1) {
    my $from = recv($s, my $packet, 1024, 0);
    exit(int(substr($packet, 5))) if defined $from && $packet =~ /^exit /;
    send($s, "$us", 0, $from) if defined $from;
}
"""


def archive(files: Mapping[str, bytes | str]) -> bytes:
    """A gzipped tar of these files, which all may be executed."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as tar:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def deploy(
    inn: RunningInn,
    name: str,
    files: Mapping[str, bytes | str] | bytes,
    *,
    env: Mapping[str, str] | None = None,
    **more: Any,
) -> str:
    """An app that runs these files, or what is in a packed archive; its id. ``more`` are fields of the deployment."""
    with inn.client() as client:
        app = client.apps_v2.create_app(
            CreateAppConfig(app_name=name, auth_configuration=AuthConfiguration(anonymous=RecordStringNever()))
        )
        redeploy(inn, app.app_id, files, env=env, **more)
    return app.app_id


def redeploy(
    inn: RunningInn,
    app_id: str,
    files: Mapping[str, bytes | str] | bytes,
    *,
    env: Mapping[str, str] | None = None,
    **more: Any,
) -> str:
    """Another deployment of the app; its id."""
    how: dict[str, Any] = {
        "container_port": 7777, "transport_type": TransportType.UDP, "requested_cpu": 0.1, "requested_memory_mb": 256,
        "rooms_per_process": 1, "idle_timeout_enabled": False, **more,
    }  # fmt: skip
    with inn.client() as client:
        build = client.upload_build(files if isinstance(files, bytes) else archive(files))
        with client.builds_v3.run_build(build.build_id) as log:
            told = log.read().decode()
        assert client.builds_v3.get_build(build.build_id).status == "succeeded", told
        variables = [EnvVariable(name=key, value=value) for key, value in (env or {}).items()]
        made = client.deployments_v3.create_deployment(
            DeploymentConfigV3(build_id=build.build_id, env=variables, **how), app_id
        )
    return made.deployment_id


def tiny() -> dict[str, bytes | str]:
    """The small server."""
    return {"Procfile": f"server: {PERL} server.pl\n", "server.pl": TINY}


def ask_tiny(host: str, port: int, packet: bytes = b"who", seconds: float = 5.0) -> str:
    """The id that the server on this port has in its environment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as player:
        player.settimeout(seconds)
        player.connect((host, port))
        player.send(packet)
        return player.recv(200).decode()


def ask_teeworlds(host: str, port: int) -> bytes:
    """What a teeworlds server tells the list of servers: a token first, then the information for it."""
    mine = 0x12345678
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as player:
        player.settimeout(5)
        player.connect((host, port))
        player.send(bytes([4, 0, 0]) + b"\xff" * 4 + bytes([5]) + struct.pack(">I", mine) + b"\0" * 508)
        token = player.recv(2000)[8:12]
        player.send(bytes([0x21]) + token + struct.pack(">I", mine) + b"\xff\xff\xff\xffgie3\x00")
        return player.recv(2000)


def ask_bzflag(host: str, port: int) -> bytes:
    """How a bzflag server greets a player."""
    with socket.create_connection((host, port), timeout=5) as player:
        player.sendall(b"BZFLAG\r\n\r\n")
        greeting = b""
        while len(greeting) < 8:
            piece = player.recv(8 - len(greeting))
            assert piece, f"it hung up after {greeting!r}"
            greeting += piece
        return greeting
