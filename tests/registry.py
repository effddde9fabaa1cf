"""A real image registry on loopback, with a password, for tests. Images are put there byte by byte, by nobody's tool.

with Registry() as registry:
    registry.put("studio/game", "1", architecture="amd64")
    registry.reference("studio/game:1")
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import shutil
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from contexts import tarball
from inns import needed, until

USER, PASSWORD = "hermione", "open-sesame"
#: What htpasswd makes of the password, with as few rounds as bcrypt has.
_HASHED = "$2b$04$8HEXHbkdE/NNSWNZFsijUOz3Dq6DXXHBvBj67EOtu5z73k0p8zSg."
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


class Registry:
    """One registry, ended with all it has. ``deleting``: whether it lets anybody delete; by itself it does not."""

    def __init__(self, *, deleting: bool = False) -> None:
        self._deleting = "true" if deleting else "false"
        self._binary = needed("/usr/bin/docker-registry", "docker-registry")
        self.folder = Path(tempfile.mkdtemp(prefix="registry-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self._program: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        (self.folder / "htpasswd").write_text(f"{USER}:{_HASHED}\n")
        (self.folder / "config.yml").write_text(
            f"version: 0.1\nlog: {{level: warn}}\n"
            f"storage: {{filesystem: {{rootdirectory: {self.folder}/store}}, delete: {{enabled: {self._deleting}}}}}\n"
            f'http: {{addr: "{self.address}"}}\n'
            f"auth: {{htpasswd: {{realm: tests, path: {self.folder}/htpasswd}}}}\n"
        )
        with (self.folder / "output").open("wb") as output:
            self._program = subprocess.Popen(
                [self._binary, "serve", self.folder / "config.yml"], stdin=subprocess.DEVNULL, stdout=output,
                stderr=output,
            )  # fmt: skip
        until(self._answers, what="the registry to answer")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._program is not None:
            self._program.kill()
            self._program.wait(20)
        shutil.rmtree(self.folder)

    def reference(self, name: str) -> str:
        """The whole reference of an image here."""
        return f"{self.address}/{name}"

    def put(
        self, repository: str, tag: str, *, architecture: str = "amd64", listed: bool = False, text: str = "",
        created: str = "", layer: bytes = b"", command: Sequence[str] = ("/game",),
    ) -> str:  # fmt: skip
        """Put an image there; its digest. ``listed``: behind a list of what it is made for.

        It has the files of ``layer``, a tar archive, or one small file: those of one ``text`` are one image; without a
        text each tag has its own.
        """
        layer = layer or tarball({"game": text or f"{repository}:{tag}"}, gzipped=False)
        packed = gzip.compress(layer, 1, mtime=0)
        config = {
            "architecture": architecture,
            "os": "linux",
            "config": {"Cmd": list(command)},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
            "history": [{"created_by": "a test"}],
            **({"created": created} if created else {}),
        }
        described = json.dumps(config).encode()
        for data in (packed, described):
            self._put_blob(repository, data)
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _piece("application/vnd.docker.container.image.v1+json", described),
            "layers": [_piece("application/vnd.docker.image.rootfs.diff.tar.gzip", packed)],
        }
        data = json.dumps(manifest).encode()
        if not listed:
            return self._put_manifest(repository, tag, _MANIFEST, data)
        self._put_manifest(repository, _digest(data), _MANIFEST, data)
        platform = {"architecture": architecture, "os": "linux"}
        several = {
            "schemaVersion": 2,
            "mediaType": _LIST,
            "manifests": [{**_piece(_MANIFEST, data), "platform": platform}],
        }
        return self._put_manifest(repository, tag, _LIST, json.dumps(several).encode())

    def _put_blob(self, repository: str, data: bytes) -> None:
        where = self._ask("POST", f"/v2/{repository}/blobs/uploads/").headers["Location"]
        path = where.partition(self.address)[2] or where
        mark = "&" if "?" in path else "?"
        self._ask("PUT", f"{path}{mark}digest={_digest(data)}", data, "application/octet-stream")

    def _put_manifest(self, repository: str, name: str, kind: str, data: bytes) -> str:
        self._ask("PUT", f"/v2/{repository}/manifests/{name}", data, kind)
        return _digest(data)

    def _answers(self) -> bool:
        try:
            self._ask("GET", "/v2/")
        except OSError:
            return False
        return True

    def _ask(self, method: str, path: str, data: bytes | None = None, kind: str = "") -> Any:
        word = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {word}", **({"Content-Type": kind} if kind else {})}
        request = urllib.request.Request(f"http://{self.address}{path}", data, headers, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            answer.read()
            return answer


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _piece(kind: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "size": len(data), "digest": _digest(data)}
