"""Asking until a deployment or a session is where it should be, one dialogue for both modes. Called by ``edgegap.py``.

What an answer means is decided by ``readiness``, ``has_ended`` and ``linkedness``, which ask nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeVar

from innkeeper.contract.edgegap.deployments import Deployments, DeployModel, Request, Status
from innkeeper.contract.edgegap.deployments_v2 import (
    DeploymentCreate,
    DeploymentResponse,
    DeploymentsV2,
    PrivateFleetDeploymentCreate,
)
from innkeeper.contract.edgegap.sessions import SessionGet, Sessions
from innkeeper.contract.edgegap.words import Deployment, DeploymentStatus, SessionStatus
from innkeeper.contract.errors import BadRequest, CallError, DeadlineExceeded, Gone, NotFound

from .waiting import SOON
from .wire import Delay, Steps

if TYPE_CHECKING:
    from innkeeper.contract.operation import Declared

    from .engine import Engine

S = TypeVar("S", Status, SessionGet)

#: What to deploy: by V1, or by V2.
Wanted = DeployModel | DeploymentCreate | PrivateFleetDeploymentCreate
#: Told each answer while a deployment is waited for.
Progress = Callable[[Status], object]
#: How an answer is taken: there is nothing to wait for any more, one way or the other, or there is.
Verdict = Literal["done", "failed", "wait"]


class DeploymentFailed(CallError):
    """Players will never connect to the deployment: it failed, or is stopped. ``detail`` says why where that is told.

    ``status`` is the answer that says so, ``request_id`` the deployment's id.
    """

    def __init__(self, status: Status, *, operation: str, attempts: int) -> None:
        self.status, self.request_id = status, status.request_id
        self.detail = status.error_detail if isinstance(status.error_detail, str) else ""
        text = f"deployment {status.request_id} of {status.app_name} {status.app_version} is {_plain(status)}"
        super().__init__(f"{text}: {self.detail}" if self.detail else text, operation=operation, attempts=attempts)


class SessionFailed(CallError):
    """There will be no deployment for the session. ``detail`` says why where that is told.

    ``session`` is the answer that says so.
    """

    def __init__(self, session: SessionGet, *, operation: str, attempts: int) -> None:
        self.session = session
        self.detail = session.error if isinstance(session.error, str) else ""
        text = f"session {session.session_id} is {_plain(session)}"
        super().__init__(f"{text}: {self.detail}" if self.detail else text, operation=operation, attempts=attempts)


class WaitTimedOut(DeadlineExceeded):
    """The time for waiting ran out. ``last`` is the last answer (a ``Status`` or a ``SessionGet``), None without any.

    ``request_id`` is the deployment's id, empty where a session has none yet.
    """

    def __init__(
        self, message: str, last: Status | SessionGet | None, request_id: str, *, operation: str, attempts: int
    ) -> None:
        super().__init__(message, operation=operation, attempts=attempts)
        self.last = last
        self.request_id = request_id


def readiness(status: Status) -> Verdict:
    """Whether players can connect."""
    state = status.current_status
    if state == DeploymentStatus.READY:
        return "done"
    over = (DeploymentStatus.ERROR, DeploymentStatus.TERMINATING, DeploymentStatus.TERMINATED)
    # A word that is not known may be a new step on the way, or a new way to fail.
    return "failed" if state in over or (status.error and not state.known) else "wait"


def has_ended(status: Status) -> Verdict:
    """Whether it runs no more. A failed one may run: it has ended when it is told since when."""
    ended = status.current_status == DeploymentStatus.TERMINATED or isinstance(status.removal_time, str)
    return "done" if ended else "wait"


def linkedness(session: SessionGet) -> Verdict:
    """Whether the session has a deployment that players can connect to."""
    if session.ready:
        return "done"
    return "failed" if session.status in (SessionStatus.UNPROCESSABLE, SessionStatus.ERROR) else "wait"


def deploy(engine: Engine, params: Wanted, timeout: float | None = None) -> Steps[str]:
    """Ask for a deployment, by the operation that takes such ``params``; returns its id."""
    operation: Declared
    if isinstance(params, DeployModel):
        operation = Deployments.create_deployment
    elif isinstance(params, PrivateFleetDeploymentCreate):
        operation = DeploymentsV2.create_private_fleet_deployment
    else:
        operation = DeploymentsV2.create_deployment
    each = engine.timeout if timeout is None else _each(engine, timeout)
    made: Request | DeploymentResponse = yield from engine.call(operation, (params,), {}, {"timeout": each})
    return made.request_id


def deploy_and_wait(
    engine: Engine, params: Wanted, timeout: float, every: float, progress: Progress | None
) -> Steps[Status]:
    """Ask for a deployment, then as ``until_ready`` for the time that is left."""
    until = engine.world.now() + timeout
    request_id = yield from deploy(engine, params, timeout)
    left = until - engine.world.now()
    try:
        return (yield from until_ready(engine, request_id, left, every, progress, told=timeout))
    except CallError as error:
        error.add_note(f"the deployment that was asked for is {request_id}")
        raise


def until_ready(
    engine: Engine,
    request_id: str,
    timeout: float,
    every: float,
    progress: Progress | None = None,
    *,
    told: float | None = None,
) -> Steps[Status]:
    """Ask at once, soon again, and then less and less often, at most ``every`` seconds apart.

    ``told`` is the time that the text of ``WaitTimedOut`` names, where it is not ``timeout``.
    """

    def judge(status: Status) -> Verdict:
        if progress is not None:
            progress(status)
        return readiness(status)

    operation = Deployments.get_deployment_status
    status, verdict, asked = yield from _wait(engine, operation, request_id, timeout, every, judge, told=told)
    if verdict == "failed":
        raise DeploymentFailed(status, operation=operation.id, attempts=asked)
    return status


def until_terminated(
    engine: Engine, request_id: str, timeout: float, every: float, *, told: float | None = None
) -> Steps[Status | None]:
    """The same for the end. A server that does not know the deployment any more, having known it, means the end too."""
    seen: list[Status] = []

    def note(status: Status) -> Verdict:
        seen.append(status)
        return has_ended(status)

    try:
        operation = Deployments.get_deployment_status
        status, _, _ = yield from _wait(engine, operation, request_id, timeout, every, note, told=told)
    except Gone:
        return None
    except (NotFound, BadRequest):  # the vendor says 400 of a deployment it does not know
        if not seen:
            raise
        return None
    return status


def stop(engine: Engine, request_id: str, timeout: float, every: float) -> Steps[Status | None]:
    """Ask for the end, then as ``until_terminated`` for the time that is left."""
    until = engine.world.now() + timeout
    try:
        yield from engine.call(Deployments.stop_deployment, (request_id,), {}, {"timeout": _each(engine, timeout)})
    except Gone:
        return None
    try:
        left = until - engine.world.now()
        return (yield from until_terminated(engine, request_id, left, every, told=timeout))
    except (NotFound, BadRequest):  # it was there a moment ago
        return None


def until_linked(engine: Engine, session_id: str, timeout: float, every: float) -> Steps[SessionGet]:
    """Ask as ``until_ready`` does, about a session."""
    operation = Sessions.get_session
    session, verdict, asked = yield from _wait(engine, operation, session_id, timeout, every, linkedness)
    if verdict == "failed":
        raise SessionFailed(session, operation=operation.id, attempts=asked)
    return session


def _wait(
    engine: Engine,
    operation: Declared,
    of: str,
    timeout: float,
    every: float,
    judge: Callable[[S], Verdict],
    *,
    told: float | None = None,
) -> Steps[tuple[S, Verdict, int]]:
    """Ask until the answer is one way or the other; returns it, which way, and how often was asked."""
    world, asked, pause = engine.world, 0, min(SOON, every)
    until, found = world.now() + timeout, None
    while True:
        each = _each(engine, until - world.now())
        try:
            found = yield from engine.call(operation, (of,), {}, {"timeout": each})
        except DeadlineExceeded as late:
            raise _late(operation, of, found, told or timeout, asked + late.attempts) from late
        asked += 1
        verdict = judge(found)
        if verdict != "wait":
            return found, verdict, asked
        if world.now() + pause >= until:
            raise _late(operation, of, found, told or timeout, asked)
        yield Delay(pause)
        pause = min(2 * pause, every)


def _each(engine: Engine, left: float) -> float:
    """The deadline of one request."""
    return left if engine.timeout is None else min(left, engine.timeout)


def _late(operation: Declared, of: str, last: Status | SessionGet | None, timeout: float, asked: int) -> WaitTimedOut:
    deployment = operation is Deployments.get_deployment_status
    state = "has not been told" if last is None else f"is still {_plain(last)}"
    text = f"{'deployment' if deployment else 'session'} {of} {state} after {timeout:g} s"
    request_id = of if deployment else _deployment_of(last)
    return WaitTimedOut(text, last, request_id, operation=operation.id, attempts=asked)


def _plain(found: Status | SessionGet) -> str:
    """The state as people say it: ``DEPLOYING``, ``Waiting``."""
    state = found.current_status if isinstance(found, Status) else found.status
    return str(state).removeprefix("Status.")


def _deployment_of(session: object) -> str:
    deployment = session.deployment if isinstance(session, SessionGet) else None
    return deployment.request_id if isinstance(deployment, Deployment) else ""
