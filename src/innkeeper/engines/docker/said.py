"""What engines say while they build and pull, made into lines for people, and what their refusals mean. Pure.

Called by ``images.py``. Docker and Podman speak the same words in two dialects; neither ends its lines where lines end.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

from innkeeper.engines.images import RegistryLogin

#: Seconds between two lines about one pull.
EVERY = 3.0
#: Letters of one line that are passed on.
_LONGEST = 4000
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_STEP = re.compile(r"STEP \d+", re.IGNORECASE)
#: What is said last of a layer. To Podman the configuration is one, too.
_LAYER_ENDS = {"docker": ("Pull complete", "Already exists"), "podman": ("Download complete", "Already exists")}
#: How Podman, and Docker, begin what they say of a step that failed.
_PREFIXES = ("creating build container: ", "initializing source ")

#: What is said of a reference that stands for images for several kinds of processors, ours not among them.
_NOT_FOR_US = ("no matching manifest", "no image found in manifest list", "no image found in image index")


class Lines:
    """Puts together what comes in pieces, and gives it out in lines without colours."""

    def __init__(self) -> None:
        self._rest = ""
        self.step = ""  #: the last step that was begun

    def feed(self, text: str) -> Iterator[str]:
        """The lines that end in this piece."""
        *lines, self._rest = (self._rest + text).split("\n")
        if len(self._rest) > _LONGEST:  # what never ends its line is not waited for
            lines.append(self._rest)
            self._rest = ""
        for line in lines:
            yield from self._line(line)

    def end(self) -> Iterator[str]:
        """What is left when nothing more comes."""
        rest, self._rest = self._rest, ""
        return self._line(rest)

    def _line(self, line: str) -> Iterator[str]:
        line = plain(line.rstrip().rpartition("\r")[2])  # a bar that is drawn over itself: its last state
        if line:
            if _STEP.match(line):
                self.step = line
            yield line


class PullProgress:
    """Says how far a pull is: a line when a layer is there, and every few seconds what has come of all."""

    def __init__(self, now: int, kind: str, every: float = EVERY) -> None:
        self._every = round(every * 1_000_000)
        self._next = now + self._every
        self._ends = _LAYER_ENDS[kind]
        self._ended: set[str] = set()
        self._bytes: dict[str, tuple[int, int]] = {}  # by layer: what has come, and what there is

    def feed(self, message: dict[str, Any], now: int) -> Iterator[str]:
        """The lines to say after a message of the engine; ``now`` in microseconds."""
        layer, status = str(message.get("id") or ""), str(message.get("status") or "")
        detail = message.get("progressDetail") or {}
        if status == "Downloading" and layer and isinstance(detail.get("total"), int):
            self._bytes[layer] = int(detail.get("current") or 0), detail["total"]
        elif status == "Download complete" and layer in self._bytes:
            self._bytes[layer] = self._bytes[layer][1], self._bytes[layer][1]
        if status in self._ends and layer and layer not in self._ended:
            self._ended.add(layer)
            yield f"Layer {plain(layer)}: {'it was here' if status == 'Already exists' else 'here'}"
        elif self._bytes and now >= self._next:
            self._next = now + self._every
            come, there = (sum(pair[at] for pair in self._bytes.values()) for at in (0, 1))
            yield f"Pulled {come / 1e6:.1f} of {there / 1e6:.1f} MB so far"


def plain(text: str) -> str:
    """Without colours and control characters, and not too long."""
    text = _CONTROLS.sub("", _ESCAPES.sub("", text)).strip()
    return f"{text[:_LONGEST]}..." if len(text) > _LONGEST else text


class Secrets:
    """What must not be said, and takes it out of what engines say."""

    def __init__(self, login: RegistryLogin | None) -> None:
        found: set[str] = set()
        if login is not None:
            pair = f"{login.user}:{login.password}"
            for secret in (login.password, pair):
                data = secret.encode("utf-8", "surrogatepass")
                found |= {secret, json.dumps(secret)[1:-1]}
                found |= {base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()}
        self._found = sorted(filter(None, found), key=len, reverse=True)

    def out_of(self, text: str) -> str:
        """The text, with ``***`` for each."""
        for secret in self._found:
            text = text.replace(secret, "***")
        return text


def error_in(message: dict[str, Any]) -> str | None:
    """What went wrong, if that is what a message of a stream says."""
    detail = message.get("errorDetail")
    said = message.get("error") or (detail.get("message") if isinstance(detail, dict) else None)
    return str(said).strip() if said or detail else None


def failed_step(said: str, step: str) -> str:
    """The sentence on a build that failed: what the engine said, and at which step."""
    text = plain(said.replace("\n", " "))
    for prefix in _PREFIXES:
        text = text.removeprefix(prefix)
    if not step or step.partition(":")[2].strip() in text:
        return f"the Dockerfile cannot be built: {text}"
    return f"the Dockerfile cannot be built: {step}: {text}"


def no_image(said: str) -> str:
    """The sentence on an archive that is not taken in. Podman tells of everything that it is not, a line each."""
    return f"the archive is not one of an image: {plain(said.partition(chr(10))[0])}"


def refused_pull(said: str, reference: str, architecture: str, *, with_login: bool) -> str:
    """The sentence on a pull that failed."""
    text = plain(said.replace("\n", " "))
    low = text.lower()
    if any(words in low for words in _NOT_FOR_US):
        return f"the image {reference} is not made for {architecture}, which this host runs: make it for that too"
    if any(word in low for word in ("unauthorized", "authentication required", "denied", "no basic auth", "401")):
        why = (
            "the registry refuses the credential"
            if with_login
            else "the registry wants a credential, or has no such image"
        )
        return f"the image {reference} cannot be pulled: {why} ({text})"
    if any(word in low for word in ("not found", "manifest unknown", "name unknown", "does not exist")):
        return f"the image {reference} cannot be pulled: the registry has no such image ({text})"
    return f"the image {reference} cannot be pulled: {text}"
