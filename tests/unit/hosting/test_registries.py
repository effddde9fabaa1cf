"""What people write about images and registries, and what is made of it."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.engines.images import RegistryLogin
from innkeeper.hosting.registries import RegistrySource, login_as_text, login_of, whole_reference
from innkeeper.kit.errors import Invalid

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("image", "registry_url", "whole"),
    [
        ("nginx", None, "docker.io/library/nginx:latest"),
        ("nginx:1.27", "", "docker.io/library/nginx:1.27"),
        ("studio/game", None, "docker.io/studio/game:latest"),
        ("docker.io/nginx", None, "docker.io/library/nginx:latest"),
        ("index.docker.io/studio/game:1", None, "docker.io/studio/game:1"),
        (" ghcr.io/studio/game:1.2 ", None, "ghcr.io/studio/game:1.2"),
        ("https://ghcr.io/studio/game:1.2", None, "ghcr.io/studio/game:1.2"),
        ("GHCR.io/studio/game", None, "ghcr.io/studio/game:latest"),
        ("localhost/game", None, "localhost/game:latest"),
        ("127.0.0.1:5000/game", None, "127.0.0.1:5000/game:latest"),
        ("127.0.0.1:5000/a/b/game:x_1", None, "127.0.0.1:5000/a/b/game:x_1"),
        ("[::1]:5000/game", None, "[::1]:5000/game:latest"),
        (f"ghcr.io/studio/game@{DIGEST}", None, f"ghcr.io/studio/game@{DIGEST}"),
        (f"127.0.0.1:5000/game:1@{DIGEST}", None, f"127.0.0.1:5000/game@{DIGEST}"),
        ("game:1", "ghcr.io", "ghcr.io/game:1"),
        ("studio/game:1", "https://ghcr.io", "ghcr.io/studio/game:1"),
        ("studio/game:1", "https://ghcr.io/", "ghcr.io/studio/game:1"),
        ("game:1", "https://ghcr.io/studio", "ghcr.io/studio/game:1"),
        ("game:1", "https://ghcr.io/v2/studio/", "ghcr.io/studio/game:1"),
        ("studio/game:1", "https://ghcr.io/studio", "ghcr.io/studio/game:1"),
        ("ghcr.io/studio/game:1", "https://ghcr.io", "ghcr.io/studio/game:1"),
        ("ghcr.io/studio/game:1", "ghcr.io/studio", "ghcr.io/studio/game:1"),
        ("studio/game", "https://index.docker.io/v1/", "docker.io/studio/game:latest"),
        ("game", "https://registry-1.docker.io/v2/", "docker.io/library/game:latest"),
        ("game", "http://10.0.0.1:5000", "10.0.0.1:5000/game:latest"),
        ("team/game", "localhost:5000", "localhost:5000/team/game:latest"),
    ],
)
def test_a_reference_is_made_whole(image: str, registry_url: str | None, whole: str) -> None:
    assert whole_reference(image, registry_url) == whole
    assert whole_reference(whole) == whole


@pytest.mark.parametrize(
    ("image", "registry_url", "said"),
    [
        ("", None, "image: write the name"),
        ("https://", None, "image: write the name"),
        ("x" * 1001, None, "image: write the name"),
        ("user:pass@ghcr.io/game", None, "image: write the name"),
        ("Studio/Game", None, "not the name of an image"),
        ("game name", None, "not the name of an image"),
        ("a//b", None, "not the name of an image"),
        ("../../containers/json", None, "not the address of a registry"),
        ("a/../../containers/json", None, "not the name of an image"),
        ("ghcr.io/", None, "not the name of an image"),
        ("game:t?g=1", None, "is not a tag"),
        ("game:", None, "is not a tag"),
        ("game@sha256:12", None, "is not a digest"),
        ("-x.y/game", None, "not the address of a registry"),
        ("game", "https://user:pass@ghcr.io", "registryUrl: it is not the address"),
        ("game", "https://", "registryUrl: it is not the address"),
        ("ghcr.io/game", "https://quay.io", "it names the registry ghcr.io, and registryUrl names quay.io"),
    ],
)
def test_what_is_no_reference_is_refused(image: str, registry_url: str | None, said: str) -> None:
    with pytest.raises(Invalid, match=said.replace(".", r"\.")) as refused:
        whole_reference(image, registry_url)
    assert "pass" not in str(refused.value)


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("auth", "login"),
    [
        ("me:secret", ("me", "secret", "")),
        (" me:se:cr:et ", ("me", "se:cr:et", "")),
        (coded("me:secret"), ("me", "secret", "")),
        (coded("me:secret").rstrip("="), ("me", "secret", "")),
        (base64.urlsafe_b64encode("mé:sécrèt??>>".encode()).decode(), ("mé", "sécrèt??>>", "")),
        (json.dumps({"username": "me", "password": "se:{cret"}), ("me", "se:{cret", "")),
        (json.dumps({"username": "me", "password": "x", "serveraddress": "ghcr.io"}), ("me", "x", "ghcr.io")),
        (coded(json.dumps({"username": "me", "password": "secret"})), ("me", "secret", "")),
        (json.dumps({"auth": coded("me:secret")}), ("me", "secret", "")),
    ],
)
def test_a_credential_is_read_in_all_its_forms(auth: str, login: tuple[str, str, str]) -> None:
    found = login_of(auth)
    assert (found.user, found.password, found.server) == login


@pytest.mark.parametrize(
    "auth",
    ["", "secretword", ":secret", "secret:", "{", '{"secret": 1}', '{"username": "secret"}', "[]", coded("secret"),
     coded(coded("me:secret")), json.dumps({"auth": "{}"}), '{"auth": {"auth": "secret"}}'],
)  # fmt: skip
def test_what_is_no_credential_is_refused_and_never_repeated(auth: str) -> None:
    with pytest.raises(Invalid) as refused:
        login_of(auth)
    assert str(refused.value).startswith("auth: it is no credential; write user:password")
    assert "secret" not in str(refused.value)


@given(st.text(), st.text(), st.text())
def test_what_is_sealed_is_read_again(user: str, password: str, server: str) -> None:
    login = RegistryLogin(user, password, server)
    if user and password:
        assert login_of(login_as_text(login)) == login


def test_a_source_shows_no_login() -> None:
    source = RegistrySource("docker.io/studio/game:1", RegistryLogin("hermione", "alohomora"))
    assert "alohomora" not in repr(source)
    assert "hermione" not in repr(source)
    assert "alohomora" not in repr(source.login)
