"""Keeps the components of matchmakers running: three servers for each matchmaker whose setup has components.

They run in an app of the matchmaker's own, each part under a label. The function is started first, then the frontend,
then the director, which is told where those two are; whatever it is told changes, it is started anew. Run by
``inn.py``'s loops.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from innkeeper.db.database import Database
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import MINUTE, SECOND, Clock
from innkeeper.kit.errors import HouseError, LimitReached, Unavailable

from .components import Components
from .grounds import Ground, Grounds, Image
from .holding import Holding
from .queries import programs as queries
from .queries import setups as setup_queries
from .queries.setups import LiveParts
from .records import Component, Matchmaker, Part, Program, Setup, Variable

log = logging.getLogger(__name__)

#: Where each part listens, unless a variable of its component says otherwise; the director need not.
PORTS: Mapping[Part, int] = {Part.FUNCTION: 50502, Part.FRONTEND: 51504, Part.DIRECTOR: 50505}
#: The variable that says where a part listens: of a component, and given to every part.
PORT_VARIABLE = "HTTP_SERVE_PORT"
#: What the director is told of the others, ``host:port``.
ADDRESSES: Mapping[Part, str] = {Part.FUNCTION: "MATCH_FUNCTION_ADDR", Part.FRONTEND: "FRONTEND_ADDR"}
#: The app that is played, and its label.
GAME, GAME_LABEL = "APP_NAME", "APP_VERSION"
_ORDER = (Part.FUNCTION, Part.FRONTEND, Part.DIRECTOR)
#: One that ended before it was this old ended soon.
_STEADY = MINUTE
_LONGEST_HOLD = 60.0
_WATCH, _IDLE = 1.0, 5.0
#: Stands before the digest of what could not be made ready to run.
_UNPREPARED = "!"


class Programs:
    """The keeper of components. ``bell`` is rung when one, or what runs, was changed."""

    def __init__(self, db: Database, clock: Clock, components: Components, grounds: Grounds, bell: Bell) -> None:
        self._db, self._clock, self._components, self._grounds = db, clock, components, grounds
        self.bell = bell
        self._held = Holding(clock)

    async def keep(self) -> float | None:
        """One pass; the seconds until the next one."""
        lives = {live.matchmaker.id: live for live in await self._db.read(setup_queries.lives_of_components)}
        programs = await self._db.read(queries.programs)
        if not lives and not programs:
            return None
        for matchmaker_id in programs.keys() - lives.keys():
            await self._close(matchmaker_id, list(programs[matchmaker_id].values()))
        ids = [one.server_id for parts in programs.values() for one in parts.values() if one.server_id is not None]
        seen = await self._grounds.look(ids)
        steady = True
        for live in filter(lambda live: self._held.free(live.matchmaker.id), lives.values()):
            with self._held.one(live.matchmaker.id, "matchmaker"):
                steady = await self._steps(live, dict(programs.get(live.matchmaker.id, {})), seen) and steady
        return _IDLE if steady else _WATCH

    async def _steps(self, live: LiveParts, running: dict[Part, Program], seen: Mapping[str, Ground]) -> bool:
        """The next steps of one matchmaker's parts; whether all of them run."""
        steady = True
        for part in _ORDER:
            after = await self._step(live, part, running, seen)
            if after is not None:
                running[part] = after
            steady = steady and after is not None and after.address is not None
        return steady

    async def _close(self, matchmaker_id: str, programs: Sequence[Program]) -> None:
        """A matchmaker that runs no components any more: its app goes, and all its servers with that."""
        await self._grounds.close(programs[0].org_id, programs[0].app_name)
        await self._db.write(queries.remove, matchmaker_id)

    async def _step(
        self, live: LiveParts, part: Part, running: Mapping[Part, Program], seen: Mapping[str, Ground]
    ) -> Program | None:
        """The next step of one part; None while it waits for others."""
        component, variables = live.parts[part]
        env = self._env(live.setup, part, variables, running)
        if env is None:
            return running.get(part)
        now, before = self._clock.now(), running.get(part)
        told = digest_of(component, env)
        if before is None or before.told.removeprefix(_UNPREPARED) != told:
            if before is not None:
                await self._stop(before)
            return await self._renew(live, part, component, env, told, before)
        if before.server_id is None:
            if before.retry_at is not None and now < before.retry_at:
                return before
            if before.told.startswith(_UNPREPARED):
                return await self._renew(live, part, component, env, told, before)
            return await self._start(before, env)
        ground = seen.get(before.server_id)
        if ground is None or ground.over is not None:
            return await self._note(_ended(before, "it is gone" if ground is None else ground.over or "it ended", now))
        if ground.ready:
            failures = 0 if now - before.started_at >= _STEADY else before.failures
            after = replace(before, address=ground.address(""), reason=None, failures=failures)
            return before if after == before else await self._note(after)
        return before

    def _env(
        self, setup: Setup, part: Part, variables: Sequence[Variable], running: Mapping[Part, Program]
    ) -> dict[str, str] | None:
        """What a part is started with; None while the addresses that it is told are not known."""
        own = {one.name: self._components.value_of(one) for one in variables}
        env = {PORT_VARIABLE: str(PORTS[part])}
        if part is Part.DIRECTOR:
            for other, name in ADDRESSES.items():
                program = running.get(other)
                if program is None or program.address is None:
                    return None
                env[name] = program.address
        played = {GAME: setup.app_name, GAME_LABEL: setup.label_name}
        return {**env, **{name: value for name, value in played.items() if value}, **own}

    async def _renew(
        self, live: LiveParts, part: Part, component: Component, env: Mapping[str, str], told: str,
        before: Program | None,
    ) -> Program:  # fmt: skip
        """Have the part's label run what the component says now, and start it."""
        of, now = live.matchmaker, self._clock.now()
        failed = before is not None and before.told == _UNPREPARED + told
        program = Program(
            of.id, part, of.org_id, app_of(of), told, 1 if before is None else before.starts + 1,
            before.failures if before is not None and failed else 0, None, None, None, now, None,
        )  # fmt: skip
        if before is not None and before.told.partition(".")[0] == told.partition(".")[0]:
            return await self._start(await self._note(program), env)  # the label runs that image already
        image = Image(component.registry, component.image, component.tag, self._components.login_of(component))
        port = env[PORT_VARIABLE]
        try:
            listening = int(port) if port.isascii() and port.isdecimal() and 0 < int(port) < 65536 else PORTS[part]
            await self._grounds.prepare(of.org_id, program.app_name, part, image, listening, part is not Part.DIRECTOR)
        except Unavailable:
            raise
        except HouseError as error:
            return await self._note(_ended(replace(program, told=_UNPREPARED + told), str(error), now))
        return await self._start(await self._note(program), env)

    async def _start(self, program: Program, env: Mapping[str, str]) -> Program:
        """Ask for its server. The mark is made of what is on record: asked twice, it is the same server."""
        try:
            server_id = await self._grounds.start(
                program.org_id, program.app_name, program.part, mark=mark_of(program), players=(),
                env=list(env.items()), tags=(),
            )  # fmt: skip
        except Unavailable:
            raise
        except HouseError as error:
            # Where it is not space that lacks, what it runs could not be had: that is tried again too.
            told = program.told if isinstance(error, LimitReached) else _UNPREPARED + program.told
            return await self._note(_ended(replace(program, told=told), str(error), self._clock.now()))
        return await self._note(
            replace(program, server_id=server_id, started_at=self._clock.now(), retry_at=None, reason=None)
        )

    async def _stop(self, program: Program) -> None:
        """End its server; also one that was asked for before we were cut off, and is not on record."""
        server_id = program.server_id or await self._grounds.find(program.org_id, mark_of(program))
        if server_id is not None:
            await self._grounds.stop(program.org_id, server_id, "it is started anew with what was changed")

    async def _note(self, program: Program) -> Program:
        await self._db.write(queries.put, program)
        return program


def _ended(program: Program, reason: str, now: int) -> Program:
    """A part that does not run: it is started again, at once where it ran long, else after a pause that grows."""
    soon = program.server_id is None or now - program.started_at < _STEADY
    failures = program.failures + 1 if soon else 0
    hold = min(_LONGEST_HOLD, 2.0 ** min(failures, 10)) if soon else 0.0
    log.warning("the %s of the matchmaker %s does not run: %s", program.part, program.matchmaker_id, reason)
    return replace(
        program, server_id=None, address=None, reason=reason, failures=failures, starts=program.starts + 1,
        retry_at=now + round(hold * SECOND),
    )  # fmt: skip


def app_of(matchmaker: Matchmaker) -> str:
    """The name of the app that its components run in. It stays when the matchmaker is called otherwise."""
    return f"aom-{matchmaker.id[-12:]}"


def mark_of(program: Program) -> str:
    """By which the server of this start of it is known."""
    return f"{program.part}-{program.starts}-{program.matchmaker_id[-12:]}"


def digest_of(component: Component, env: Mapping[str, str]) -> str:
    """Digests of what a part runs and of what it is told, with a full stop between them."""
    port = env[PORT_VARIABLE]
    runs = [component.registry, component.image, component.tag, component.login_sealed, port]
    return ".".join(hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32] for said in (runs, sorted(env.items())))
