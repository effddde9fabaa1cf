"""What an engine's words mean: why a container did not start, and how one ended. Pure decisions, for ``engine.py``."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass

from innkeeper.engines.base import EndedBy, ImageMissing, NotStarted, PortTaken

#: Signals by which a program that was asked to end may end without that being news.
_POLITE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_KILLED = 128 + signal.SIGKILL
_HIGHEST_SIGNAL = 64
#: What the init of Docker (tini) and of Podman (catatonit) print when there is nothing that they could run. Podman
#: loses the beginning of the line now and then, which its init writes in pieces.
_INIT = re.compile(
    r"^(?:\[FATAL tini \(\d+\)\] exec (.*) failed|(?:.{0,40}\W)?exec pid1): (.*)$|^(exec format error)$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Death:
    """What is known of an end."""

    exit_code: int
    asked: bool = False  #: we asked it to end
    killed: bool = False  #: we killed it
    memory: bool = False  #: the engine or the kernel says that its memory was used up
    memory_known: bool = False  #: whether that would have been told
    ready: bool = False  #: it had bound its ports
    words: str = ""  #: the end of its output
    architecture: str = ""  #: of the host


def verdict(death: Death) -> tuple[EndedBy, int | None, str]:
    """``(by, code, detail)``. Inside a container, killed by signal N shows as the exit code 128 + N."""
    code = death.exit_code
    number = code - 128 if 128 < code <= 128 + _HIGHEST_SIGNAL else 0
    failed = not death.asked and not death.ready and code != 0
    if death.killed and code == _KILLED:
        return EndedBy.KILLED, int(signal.SIGKILL), ""
    if death.memory and code != 0:
        return EndedBy.MEMORY, number or code, ""
    if failed and (reason := cannot_run(death.words, death.architecture)):
        return EndedBy.NOT_STARTED, None, reason
    if death.asked and (not number or number in _POLITE):
        return EndedBy.STOPPED, number or code, ""
    detail = death.words if failed else ""
    if number:
        if number == signal.SIGKILL and not death.memory_known:
            hint = "it was killed; perhaps it needed more memory than it was given, which this engine does not tell"
            detail = f"{hint}; {detail}" if detail else hint
        return EndedBy.SIGNAL, number, detail
    return EndedBy.EXIT, code, detail


def cannot_run(words: str, architecture: str) -> str:
    """Why the container's init found nothing to run, for people; empty when that is not what happened."""
    for line in words.splitlines():
        if found := _INIT.match(line):
            what, why = found[1] or "the image's program", found[2] or found[3]
            if "exec format error" in why.lower():
                return _wrong_architecture(what, architecture)
            if "no such file" in why.lower():  # the kernel says the same of a file whose loader is missing
                return f"{what} could not be run: {why}; the image lacks it, or the loader or interpreter that it names"
            return f"{what} could not be run: {why}"
    return ""


def _wrong_architecture(what: str, architecture: str) -> str:
    return (
        f"{what} could not be run: exec format error. Its image is for other processors than this host's "
        f"({architecture}), or it is a script whose first line does not name its shell"
    )


def refusal(status: int, message: str, architecture: str) -> NotStarted:
    """What an engine's refusal to create or start a container means. Its kin tell what may be done about it."""
    low = message.lower()
    if "address already in use" in low or "port is already allocated" in low or "ports are not available" in low:
        return PortTaken(message)
    if status == 404 and ("no such image" in low or "image not known" in low):
        return ImageMissing(message)
    if "exec format error" in low:
        return NotStarted(_wrong_architecture("the image's program", architecture))
    if "executable file not found" in low:
        return NotStarted(f"the image does not have the program that it is to run: {message}")
    if "no command specified" in low or "no command or entrypoint" in low:
        return NotStarted("the image does not say which program to run: it has neither CMD nor ENTRYPOINT")
    return NotStarted(message)


def is_passing(message: str) -> bool:
    """Whether a refusal will pass: two programs changed the firewall of the machine at the same moment."""
    low = message.lower()
    return any(
        words in low
        for words in (
            "chain already exists",
            "xtables lock",
            "resource temporarily unavailable",
            "iptables failed",  # also while the firewall is loaded anew and the engine's chains are away
            "no chain/target/match by that name",
        )
    )


def name_taken(status: int, message: str) -> bool:
    """Whether there is a container of that name."""
    low = message.lower()
    return status == 409 or ("name" in low and "already in use" in low and "address" not in low)
