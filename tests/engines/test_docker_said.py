"""What engines say, made into lines and sentences. The texts are those of dockerd 20.10 and Podman 4.3."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from innkeeper.engines.docker.archives import image_of, split
from innkeeper.engines.docker.said import (
    Lines,
    PullProgress,
    Secrets,
    error_in,
    failed_step,
    no_image,
    plain,
    refused_pull,
)
from innkeeper.engines.images import Image, RegistryLogin

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("pieces", "lines", "step"),
    [
        (["Step 1/4 : FROM x", "\n", " ---> 520e\n"], ["Step 1/4 : FROM x", "---> 520e"], "Step 1/4 : FROM x"),
        (["STEP 2/4: RUN a\n", "/bin/sh: 1: ", "touch: not found", "\n"],
         ["STEP 2/4: RUN a", "/bin/sh: 1: touch: not found"], "STEP 2/4: RUN a"),
        (["\x1b[91merr\n\x1b[0m"], ["err"], ""),
        (["10%\r50%\r100%\n"], ["100%"], ""),
        (["a\x00b\x07\tc\n"], ["ab\tc"], ""),
        (["no end"], ["no end"], ""),
        (["", "\n", " \n"], [], ""),
        (["\x1b]0;title\x07x\n"], ["x"], ""),
        (["x" * 5000 + "\n"], ["x" * 4000 + "..."], ""),
        (["one\ntwo\nthree"], ["one", "two", "three"], ""),
    ],
)  # fmt: skip
def test_lines_are_put_together(pieces: list[str], lines: list[str], step: str) -> None:
    found = Lines()
    said = [line for piece in pieces for line in found.feed(piece)]
    assert [*said, *found.end()] == lines
    assert found.step == step


def test_a_line_that_never_ends_is_not_kept_in_memory() -> None:
    found = Lines()
    said = [line for _ in range(100) for line in found.feed("x" * 1000)]
    assert len(said) == 20
    assert max(map(len, said)) < 6000


def progress(kind: str, *messages: tuple[float, dict[str, Any]]) -> list[str]:
    told = PullProgress(0, kind)
    return [line for at, message in messages for line in told.feed(message, round(at * SECOND))]


def loading(layer: str, current: int, total: int = 50_000_000) -> dict[str, Any]:
    return {"status": "Downloading", "progressDetail": {"current": current, "total": total}, "id": layer}


def test_a_pull_tells_each_layer_once_and_how_far_it_is_now_and_then() -> None:
    docker = progress(
        "docker",
        (0.0, {"status": "Pulling from studio/game", "id": "1"}),
        (0.1, {"status": "Already exists", "progressDetail": {}, "id": "aaaa"}),
        (0.2, loading("bbbb", 1_000_000)),
        (0.3, loading("cccc", 2_000_000)),
        (2.9, loading("bbbb", 20_000_000)),
        (3.1, loading("bbbb", 30_000_000)),
        (3.2, loading("bbbb", 40_000_000)),
        (3.3, {"status": "Download complete", "progressDetail": {}, "id": "bbbb"}),
        (6.2, loading("cccc", 3_000_000)),
        (6.3, {"status": "Pull complete", "progressDetail": {}, "id": "bbbb"}),
        (6.4, {"status": "Digest: sha256:30"}),
    )
    assert docker == [
        "Layer aaaa: it was here",
        "Pulled 32.0 of 100.0 MB so far",
        "Pulled 53.0 of 100.0 MB so far",
        "Layer bbbb: here",
    ]
    podman = progress(
        "podman",
        (0.1, {"status": "Pulling fs layer", "progressDetail": {}, "id": "bbbb"}),
        (0.2, {"status": "Download complete", "progressDetail": {}, "id": "bbbb"}),
        (0.3, {"status": "Download complete", "progressDetail": {}, "id": "bbbb"}),
    )
    assert podman == ["Layer bbbb: here"]


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"stream": "x"}, None),
        ({"error": "no\n", "errorDetail": {"message": "other"}}, "no"),
        ({"errorDetail": {"message": "no"}}, "no"),
        ({"errorDetail": {"code": 3}}, "None"),
        ({"error": ""}, None),
    ],
)
def test_errors_are_found(message: dict[str, Any], error: str | None) -> None:
    assert error_in(message) == error


@pytest.mark.parametrize(
    ("said", "step", "sentence"),
    [
        ("The command '/bin/sh -c echo a; exit 3' returned a non-zero code: 3", "Step 2/2 : RUN echo a; exit 3",
         "Step 2/2 : RUN echo a; exit 3: The command '/bin/sh -c echo a; exit 3' returned a non-zero code: 3"),
        ('building at STEP "RUN a; exit 3": while running runtime: exit status 3\n', "STEP 2/2: RUN a; exit 3",
         'building at STEP "RUN a; exit 3": while running runtime: exit status 3'),
        ("dockerfile parse error line 1: unknown instruction: FROMM", "",
         "dockerfile parse error line 1: unknown instruction: FROMM"),
        ("creating build container: initializing source docker://x:1: pinging", "STEP 1/1: FROM x:1",
         "STEP 1/1: FROM x:1: docker://x:1: pinging"),
    ],
)  # fmt: skip
def test_a_failed_build_names_its_step(said: str, step: str, sentence: str) -> None:
    assert failed_step(said, step) == f"the Dockerfile cannot be built: {sentence}"


@pytest.mark.parametrize(
    ("said", "with_login", "sentence"),
    [
        ("no matching manifest for linux/amd64 in the manifest list entries", False,
         "the image r/i:1 is not made for amd64, which this host runs"),
        ('choosing image instance: no image found in manifest list for architecture amd64, variant "", OS linux', False,
         "the image r/i:1 is not made for amd64, which this host runs"),
        ('Head "http://r/v2/i/manifests/1": no basic auth credentials', False,
         "cannot be pulled: the registry wants a credential, or has no such image ("),
        ("unauthorized: authentication required", True, "cannot be pulled: the registry refuses the credential ("),
        ("pull access denied for x, repository does not exist", False, "wants a credential, or has no such image ("),
        ("manifest for r/i:1 not found: manifest unknown", True, "cannot be pulled: the registry has no such image ("),
        ("dial tcp 127.0.0.1:1: connect: connection refused", True, "cannot be pulled: dial tcp 127.0.0.1:1: connect"),
        ("write /var/lib: no space left on device", True, "cannot be pulled: write /var/lib: no space left"),
    ],
)  # fmt: skip
def test_a_refused_pull_says_why(said: str, with_login: bool, sentence: str) -> None:
    assert sentence in refused_pull(said, "r/i:1", "amd64", with_login=with_login)


def test_of_an_archive_that_is_none_only_the_first_line_is_said() -> None:
    assert no_image("it is none:\n * oci: no\n") == "the archive is not one of an image: it is none:"


def test_a_password_is_said_in_no_spelling() -> None:
    login = RegistryLogin("hermione", 'alo"ho>>>mora??')
    pair = f"{login.user}:{login.password}".encode()
    said = " ".join(
        [
            login.password,
            json.dumps({"password": login.password}),
            base64.b64encode(pair).decode(),
            base64.urlsafe_b64encode(login.password.encode()).decode(),
        ]
    )
    shown = Secrets(login).out_of(said)
    assert shown == '*** {"password": "***"} *** ***'
    assert Secrets(None).out_of("nothing to hide") == "nothing to hide"


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("docker.io/library/nginx:1", ("docker.io/library/nginx", "1")),
        ("127.0.0.1:5000/game:1", ("127.0.0.1:5000/game", "1")),
        ("127.0.0.1:5000/game@sha256:00", ("127.0.0.1:5000/game", "sha256:00")),
    ],
)
def test_a_reference_is_split(reference: str, parts: tuple[str, str]) -> None:
    assert split(reference) == parts


@pytest.mark.parametrize(
    ("config", "startable"),
    [
        (None, False),
        ({"Cmd": None, "Entrypoint": []}, False),
        ({"Cmd": ["/game"]}, True),
        ({"Cmd": None, "Entrypoint": ["/game"]}, True),
    ],
)
def test_an_image_is_read(config: object, startable: bool) -> None:
    found = {"Id": "12", "Architecture": "amd64", "Os": "linux", "Size": 3, "Config": config}
    assert image_of(found) == Image("sha256:12", "amd64", "linux", 3, startable)


def test_what_is_not_told_of_an_image_is_left_empty() -> None:
    assert image_of({"Id": "sha256:12"}) == Image("sha256:12", "", "", 0, startable=False)


def test_colours_are_taken_out() -> None:
    assert plain("\x1b[1mx\x1b[0m\n") == "x"
