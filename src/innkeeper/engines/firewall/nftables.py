"""Hands walls to the kernel by the program ``nft``. One for a house; called by ``hosting/passes/guarding.py``.

The whole of a house's table is replaced in one transaction: at no moment is there a part of it. What stands is compared
before it is written again, as the kernel tells it: other programs can take rules away. A house that ended leaves its
table, and the next one writes its own in its place.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from innkeeper.engines.tls.privileges import USER

from .belonging import elsewhere
from .walls import Walls, proof, script, table_of

#: Seconds that the program has. It takes some hundredths of one.
_PATIENCE = 20.0
_ALSO_IN = "/usr/sbin:/sbin"
_NET_ADMIN = 12
_STATUS = Path("/proc/self/status")

#: Runs ``nft`` with these words and this input: exit code, and what it said. To be called in a thread.
Run = Callable[[Sequence[str], str], tuple[int, str]]


class FirewallAway(Exception):
    """The walls could not be made what they shall be. The text says why."""


class Nftables:
    """The table of one house on this machine's network."""

    def __init__(self, house: str, run: Run | None = None) -> None:
        self._table = table_of(house)
        self._run = run or run_nft
        self._insiders = sorted({os.geteuid(), USER})
        self._written, self._stands = "", ""  # our script, and what the kernel told after it

    async def why_not(self, engine: str = "") -> str:
        """Why nobody can be kept away from servers of this machine, as far as one sees it without trying; else empty.

        ``engine`` is the socket of the container engine that runs them; empty: they are programs of this machine.
        """
        return await asyncio.to_thread(_why_not, engine)

    async def prove(self) -> str:
        """The same by trying all of it, which leaves nothing behind."""
        code, said = await asyncio.to_thread(self._run, ["-f", "-"], proof(self._table, self._insiders))
        return "" if code == 0 else f"this machine's kernel refuses the rules: {said}"

    async def hold(self, walls: Walls) -> bool:
        """Make exactly this stand. False: it did already. Raises :class:`FirewallAway`."""
        wanted = script(self._table, walls, self._insiders)
        if wanted == self._written and await self._listing() == self._stands:
            return False
        code, said = await asyncio.to_thread(self._run, ["-f", "-"], wanted)
        if code != 0:
            raise FirewallAway(f"nft refuses the rules: {said}")
        self._stands = await self._listing()
        if bool(self._stands) != bool(walls):
            self._written = ""
            raise FirewallAway("nft took the rules, and tells others; does another program change them?")
        self._written = wanted
        return True

    async def _listing(self) -> str:
        """What stands, without what it has counted; empty when there is no table."""
        code, said = await asyncio.to_thread(self._run, ["-s", "list", "table", "inet", self._table], "")
        return said if code == 0 else ""


def run_nft(words: Sequence[str], told: str) -> tuple[int, str]:
    """See :data:`Run`."""
    program = _program()
    if program is None:
        return 127, "nft is not installed"
    try:
        done = subprocess.run(  # noqa: S603  # a program of this machine; all that strangers said is an address by now
            [program, *words], input=told, capture_output=True, text=True, timeout=_PATIENCE, check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}, cwd="/",
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return 126, str(error)
    return done.returncode, done.stdout if done.returncode == 0 else first_line(done.stderr)


def first_line(text: str) -> str:
    """Of what ``nft`` complains of; further lines draw arrows below the script."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "it does not say why")


def _why_not(engine: str) -> str:
    if _program() is None:
        return "nftables is not there (install nft)"
    if not may_set_rules(_STATUS.read_text()):
        return "Innkeeper may not set rules there (run it as root, or with CAP_NET_ADMIN)"
    return elsewhere(engine) if engine else ""


def may_set_rules(status: str) -> bool:
    """Whether a process with this ``/proc/PID/status`` may change the rules of its network."""
    line = next((line for line in status.splitlines() if line.startswith("CapEff:")), "CapEff: 0")
    return bool(int(line.split()[1], 16) >> _NET_ADMIN & 1)


def _program() -> str | None:
    return shutil.which("nft") or shutil.which("nft", path=_ALSO_IN)
