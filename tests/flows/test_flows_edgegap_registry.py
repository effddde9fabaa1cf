"""The wizard of engine plugins, and tags of images in a real registry that the operator runs, through Edgegap's API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from api.wire import ask
from factories import TestInn
from innkeeper.accounts.model import Caller
from innkeeper.accounts.scopes import ADMIN, Grant
from innkeeper.contract.edgegap.container_registry import ImageTagList, ImageTagsDeletePayload
from innkeeper.contract.edgegap.wizard import InitQuickStart, RegistryCredentials
from innkeeper.engines.images import RegistryLogin
from innkeeper.hosting.manifests import check_image
from innkeeper.hosting.registries import RegistrySource
from innkeeper.hosting.registrytalk import asking_through
from innkeeper.hosting.storing.guard import Guard
from innkeeper.kit.errors import Invalid, Unobtainable
from innkeeper.kit.ids import Chance
from innkeeper.registryspecs import RegistrySpec
from innkeeper.sdk import StatusError
from registry import PASSWORD, USER, Registry

GAME = "studio/game"


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    """A registry that deletes; each test has a project of its own in it."""
    with Registry(deleting=True) as opened:
        yield opened


def spec_of(registry: Registry, project: str = "studio", **more: str) -> RegistrySpec:
    return RegistrySpec(url=registry.address, project=project, username=USER, **{"password": PASSWORD, **more})


async def named(inn: TestInn, *specs: RegistrySpec) -> Any:
    """The inn with these registries; its client."""
    inn.settings = msgspec.structs.replace(inn.settings, registries=specs)
    await inn.restart()
    return inn.edgegap()


async def token(inn: TestInn, *scopes: str) -> str:
    admin = Caller(inn.inn.founded.org_id, "", "owner@localhost", ADMIN)
    return (await inn.inn.wings.tokens.create(admin, "-".join(scopes), Grant.of(scopes))).plain


async def refused(call: Any) -> tuple[int, str]:
    with pytest.raises(StatusError) as caught:
        await call
    assert PASSWORD not in str(caught.value)
    return caught.value.status, str(caught.value)


def told(listed: ImageTagList) -> dict[str, list[str]]:
    """The tags of a page, each with all of its image."""
    assert isinstance(listed.data, list)
    return {one.tag: one.artifact.remaining_tags for one in listed.data}


async def test_the_wizard_tells_each_organisation_its_own_registry(inn: TestInn) -> None:
    client = inn.edgegap()
    await client.wizard.init_quick_start(InitQuickStart(source="unity"))
    assert (await refused(inn.edgegap("none").wizard.init_quick_start(InitQuickStart())))[0] == 401
    status, why = await refused(client.wizard.get_registry_credentials())
    assert (status, "[[registries]]" in why) == (404, True)

    org, rival = await inn.inn.wings.organisations.create(Caller("", "", "r@x.example", ADMIN), "Rivals", "r@x.example")
    ours = RegistrySpec(url="https://Registry.example.org/", project="studio", username="ci", password="alohomora")
    theirs = RegistrySpec(
        url="registry.example.org", project="rivals", username="r", password="colloportus", organisation=org.id
    )
    client = await named(inn, ours)
    assert await client.wizard.get_registry_credentials() == RegistryCredentials(
        registry_url="registry.example.org", project="studio", username="ci", token="alohomora"
    )
    assert (await refused(inn.edgegap(rival.plain).wizard.get_registry_credentials()))[0] == 404
    reader = inn.edgegap(await token(inn, "builds:read"))
    await reader.wizard.init_quick_start(InitQuickStart())
    assert (await refused(reader.wizard.get_registry_credentials()))[0] == 403
    await named(inn, ours, theirs)
    assert (await inn.edgegap(rival.plain).wizard.get_registry_credentials()).token == "colloportus"


async def test_tags_are_listed_and_deleted_and_an_image_goes_with_its_last(inn: TestInn, registry: Registry) -> None:
    project = f"studio-{inn.inn.db.kind}"
    image = f"{project}/game"
    client = (await named(inn, spec_of(registry, project))).container_registry
    assert (await refused(client.list_image_tags(image)))[0] == 404
    first = registry.put(image, "1.0", text="a", created="2024-01-30T16:23:00.123456789Z")
    assert registry.put(image, "stable", text="a", created="2024-01-30T16:23:00.123456789Z") == first
    second = registry.put(image, "1.1", text="b", listed=True)
    registry.put(image, "1.2", text="c")

    listed = await client.list_image_tags(image)
    assert told(listed) == {
        "1.0": ["1.0", "stable"], "1.1": ["1.1"], "1.2": ["1.2"], "stable": ["1.0", "stable"],
    }  # fmt: skip
    oldest, several = listed.data[0], listed.data[1]
    assert (oldest.last_push_at, oldest.artifact.image_hash) == ("2024-01-30 16:23:00.123456", first)
    assert 0.0002 < oldest.artifact.size_mb < 0.01
    assert (several.artifact.image_hash, several.artifact.size_mb > 0.0002) == (second, True)
    assert several.last_push_at == "1970-01-01 00:00:00.000000"  # its maker left no trace of when
    page = await client.list_image_tags(image, page=2, limit=3)
    assert (told(page), page.total_count, page.pagination.has_next) == ({"stable": ["1.0", "stable"]}, 4, False)

    gone = await client.delete_image_tag(image, "stable")  # its image has another tag, and stays
    assert (gone.deleted_tag, gone.artifact.artifact_deleted, gone.artifact.remaining_tags) == (
        "stable",
        False,
        ["1.0"],
    )
    assert (gone.artifact.image_hash, gone.artifact.size_mb) == (first, oldest.artifact.size_mb)
    listed = await client.list_image_tags(image)
    assert (told(listed), listed.data[0].artifact.image_hash) == (
        {"1.0": ["1.0"], "1.1": ["1.1"], "1.2": ["1.2"]},
        first,
    )
    gone = await client.delete_image_tag(image, "1.0")
    assert (gone.artifact.artifact_deleted, gone.artifact.remaining_tags) == (True, [])
    assert (await refused(client.delete_image_tag(image, "1.0")))[0] == 404

    several = await client.delete_image_tags(ImageTagsDeletePayload(tags=["1.1", "0.9", "1.1", "1.2"]), image)
    assert [(one.tag, one.status) for one in several.results] == [("1.1", 204), ("0.9", 404), ("1.2", 204)]
    assert (several.summary.total, several.summary.success, several.summary.failed) == (3, 2, 1)
    assert told(await client.list_image_tags(image)) == {}
    assert (await refused(client.delete_image_tags(ImageTagsDeletePayload(tags=[]), image)))[0] == 400


async def test_one_organisation_has_nothing_of_another_s(small_inn: TestInn, registry: Registry) -> None:
    inn = small_inn
    org, rival = await inn.inn.wings.organisations.create(Caller("", "", "r@x.example", ADMIN), "Rivals", "r@x.example")
    registry.put("ours/game", "1")
    registry.put("ours2/game", "1")
    registry.put("theirs/game", "1")
    ours = (
        await named(inn, spec_of(registry, "ours"), spec_of(registry, "theirs", organisation=org.id))
    ).container_registry
    theirs = inn.edgegap(rival.plain).container_registry
    for image in ("ours/game", "ours", "game", "ours2/game", "theirs/../ours/game", "theirs/game/../../ours/game",
                  "/ours/game", "theirs//game", "theirs/game?n=1", "theirs/Game", "theirs/"):  # fmt: skip
        tags = ImageTagsDeletePayload(tags=["1"])
        for call in (
            theirs.list_image_tags(image), theirs.delete_image_tag(image, "1"), theirs.delete_image_tags(tags, image),
        ):  # fmt: skip
            assert (await refused(call))[0] == 404, image
    for name in ("../../../ours/game/manifests/1", "a b", f"sha256:{'0' * 64}"):
        assert (await refused(theirs.delete_image_tag("theirs/game", name)))[0] == 404, name
    assert told(await theirs.list_image_tags("theirs/game")) == {"1": ["1"]}
    assert told(await ours.list_image_tags("ours/game")) == {"1": ["1"]}


async def test_slashes_of_names_stand_as_they_are_or_encoded(small_inn: TestInn, registry: Registry) -> None:
    await named(small_inn, spec_of(registry))
    for image, scope, statuses in (
        ("studio/game/server", "builds:read", [200, 403, 403]),
        ("studio/game/server", "builds:read-write", [200, 200, 207]),
        ("studio%2Fgame%2Fserver", "orgs:read", [403, 403, 403]),
        ("studio%2Fgame%2Fserver", "tokens:read builds:read-write", [200, 200, 207]),
        ("studio/game%2fserver", "orgs:read builds:read-write", [200, 200, 207]),
    ):
        registry.put("studio/game/server", "1")
        who, path = await token(small_inn, *scope.split()), f"/v1/container-registry/images/{image}/tags"
        answers = [
            await ask(small_inn, "GET", f"{path}?limit=1", token=who, word="token"),
            await ask(small_inn, "DELETE", f"{path}/1", token=who, word="token"),
            await ask(small_inn, "POST", f"{path}/bulk-delete", b'{"tags": ["1"]}', token=who, word="token"),
        ]
        assert [answer.status for answer in answers] == statuses, (image, scope)
        if statuses[1] == 200:
            assert json.loads(answers[0].body)["data"][0]["tag"] == "1"
            assert json.loads(answers[1].body)["deleted_tag"] == "1"
            assert json.loads(answers[2].body)["results"][0]["status"] == 404


async def test_a_registry_that_deletes_nothing_says_how_it_would(small_inn: TestInn) -> None:
    with Registry() as registry:
        digest = registry.put("studio/game", "1", text="a")
        registry.put("studio/game", "2", text="a")
        registry.put("studio/game", "3", text="b")
        client = (await named(small_inn, spec_of(registry))).container_registry
        several = ImageTagsDeletePayload(tags=["3", "1"])
        for call in (
            client.delete_image_tag(GAME, "3"), client.delete_image_tag(GAME, "1"),
            client.delete_image_tags(several, GAME),
        ):  # fmt: skip
            status, why = await refused(call)
            assert (status, "REGISTRY_STORAGE_DELETE_ENABLED=true" in why) == (400, True)
        listed = await client.list_image_tags(GAME)
        assert told(listed) == {"1": ["1", "2"], "2": ["1", "2"], "3": ["3"]}  # nothing was moved either
        assert listed.data[0].artifact.image_hash == digest

        client = (await named(small_inn, spec_of(registry, password="wrong"))).container_registry
        status, why = await refused(client.list_image_tags(GAME))
        assert (status, "does not let the user hermione of the setting registries" in why) == (500, True)
    status, why = await refused(client.list_image_tags(GAME))
    assert (status, "does not answer" in why) == (503, True)


async def test_a_version_is_checked_at_a_real_registry(registry: Registry) -> None:
    registry.put(GAME, "checked")
    reference = registry.reference(f"{GAME}:checked")
    guard = Guard(Chance())
    ask = asking_through(guard, anywhere=True)
    try:
        await check_image(RegistrySource(reference, RegistryLogin(USER, PASSWORD)), ask)
        for source, why in (
            (RegistrySource(reference, RegistryLogin(USER, "wrong")), "unable to log in"),
            (RegistrySource(reference), "wants a login"),
            (RegistrySource(f"{reference}-not", RegistryLogin(USER, PASSWORD)), "has no image"),
        ):
            with pytest.raises(Unobtainable, match=why):
                await check_image(source, ask)
    finally:
        await guard.close()


async def test_the_first_organisation_has_one_registry_however_it_is_named(small_inn: TestInn) -> None:
    first = RegistrySpec(url="a.example", project="a", username="a", password="a")
    again = RegistrySpec(
        url="b.example", project="b", username="b", password="b", organisation=small_inn.inn.founded.org_id
    )
    with pytest.raises(Invalid, match=r"two registries are for the organisation org-.* without organisation"):
        await named(small_inn, first, again)
    await named(small_inn, again)
    assert (await small_inn.edgegap().wizard.get_registry_credentials()).project == "b"
