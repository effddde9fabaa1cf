"""The vendor's own SDK for JavaScript, from npm, walks a whole life: every operation, deprecated too, two real game
servers.

It parses every answer strictly, which makes it the judge of what we answer. The package is installed once into
``.cache/npm`` beside ``src``; afterwards the test needs no network.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from contexts import bzflag_context, teeworlds_context
from daemons import Daemon, DockerDaemon, PodmanService
from innkeeper.contract.hathora import HATHORA
from inns import REPOSITORY, until
from networks import outside
from postoffice import post_office

from .drivers import mailing_inn
from .games import PROCFILES, REAL_GAMES, archive
from .people import CLIENT_ID, OWNER, invited_by_others, stand_in_for_google

WALK = Path(__file__).parent / "npm"
CACHE = REPOSITORY / ".cache" / "npm"
DEAR = 1000  #: what a processor costs for an hour, so that a few seconds cost something
pytestmark = [pytest.mark.skipif(shutil.which("npm") is None, reason="needs node and npm"), *REAL_GAMES]


@pytest.fixture(scope="module")
def packages() -> Path:
    """A folder with the walk and the packages that it imports."""
    wanted = json.loads((WALK / "package.json").read_text())["dependencies"]
    CACHE.mkdir(parents=True, exist_ok=True)
    if not all(_version(name) == version for name, version in wanted.items()):
        shutil.copy(WALK / "package.json", CACHE)
        command = outside("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")
        subprocess.run(command, cwd=CACHE, check=True, timeout=300, capture_output=True)
    assert all(_version(name) == version for name, version in wanted.items())
    for module in WALK.glob("*.mjs"):
        shutil.copy(module, CACHE)
    return CACHE


def test_the_vendors_sdk_walks_a_whole_life(packages: Path, tmp_path: Path) -> None:
    # Random bytes do not shrink: the archive is larger than one part.
    ballast = os.urandom((20 << 20) + 12345)
    archives = {
        "teeworlds": archive({"ballast.bin": ballast, "Procfile": PROCFILES["teeworlds"]}),
        "bzflag": archive({"Procfile": PROCFILES["bzflag"]}),
    }
    walk(packages, tmp_path, archives)


@pytest.mark.parametrize("engine", [DockerDaemon, PodmanService])
def test_it_walks_the_same_life_with_containers(packages: Path, tmp_path: Path, engine: type[Daemon]) -> None:
    archives = {"teeworlds": teeworlds_context(os.urandom((20 << 20) + 12345)), "bzflag": bzflag_context()}
    with engine() as daemon:
        walk(packages, tmp_path, archives, daemon, container_engine=daemon.url)


def walk(
    packages: Path, tmp_path: Path, archives: Mapping[str, bytes], daemon: Daemon | None = None, **settings: Any
) -> None:
    """Walk, in an Innkeeper with these settings; at the end nothing is left on the engine."""
    for name, packed in archives.items():
        (tmp_path / name).write_bytes(packed)
    with (
        stand_in_for_google() as google,
        post_office() as office,
        mailing_inn(
            office.url, google_keys_url=google.url, measure_seconds=0.5, cpu_hour_price=DEAR, **settings
        ) as inn,
    ):
        with inn.client() as client:
            hosts = client.house.hosts_v1.get_hosts().hosts
        facts = {
            "url": inn.url,
            "token": inn.token,
            "orgId": inn.org_id,
            "owner": OWNER,
            "nodeIds": [host.name for host in hosts],
            "otherOrgs": invited_by_others(inn),
            "idToken": google.id_token("robin"),
            "googleClient": CLIENT_ID,
            "image": "127.0.0.1:1/example/game:1",  # where nobody listens
            "archives": {name: str(tmp_path / name) for name in archives},
        }
        (tmp_path / "facts.json").write_text(json.dumps(facts))
        walk = subprocess.run(
            ["node", packages / "walk.mjs", tmp_path / "facts.json"],
            capture_output=True, text=True, timeout=180, check=False, cwd=packages,
        )  # fmt: skip
        assert walk.returncode == 0, f"{walk.stdout}\n{walk.stderr}\n{inn.log[-4000:]}"
        assert "Traceback" not in inn.log, inn.log
        until(lambda: office.mails, what="the mail")
        [(recipients, mail)] = office.mails
        assert recipients == [OWNER]
        assert f"{inn.url}/verify/" in str(mail.get_payload())
        inn.run("processes", "stop", "--all")
        until(lambda: daemon is None or not daemon.containers(), what="that nothing is left")
    walked = set(json.loads(walk.stdout.splitlines()[-1]))
    parts = -(-len(archives["teeworlds"]) // (10 << 20))
    assert parts > 2
    assert f"teeworlds: {parts} parts" in walk.stdout
    everything = {operation.id for operation in HATHORA.operations() if operation.public and operation.tag != "LogV1"}
    assert len(everything) == 134  # the two of LogV1 were gone from the SDKs before this one
    assert walked == everything


def _version(name: str) -> str | None:
    try:
        return str(json.loads((CACHE / "node_modules" / name / "package.json").read_text())["version"])
    except FileNotFoundError:
        return None
