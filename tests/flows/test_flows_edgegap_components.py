"""Matchmakers of a studio's own programs: three components that run as servers, and stay up."""

from __future__ import annotations

import pytest

from factories import TestInn
from flows.duels import config, rows
from flows.test_flows_image_api import ImageInn
from innkeeper.contract.edgegap.matchmaker import (
    ComponentCredentials,
    MatchmakerComponentCreate,
    MatchmakerComponentEnvsCreate,
    MatchmakerComponentUpdate,
    MatchmakerCreate,
)
from innkeeper.contract.edgegap.matchmaker_releases import (
    MatchmakerManagedReleaseCreate,
    MatchmakerReleaseConfigCreate,
    MatchmakerReleaseCreate,
)
from innkeeper.db.database import Statement, Steps
from innkeeper.engines.base import EndedBy, Launch
from innkeeper.sdk import AsyncEdgegap, StatusError

IMAGES = ("front", "director", "function")


@pytest.fixture
async def boxes(inn: TestInn) -> ImageInn:
    found = ImageInn(inn)
    await inn.restart()
    found.images.registry = {f"ghcr.io/studio/{name}:{tag}": "amd64" for name in IMAGES for tag in "12"}
    found.images.logins = {"ghcr.io/studio/front:1": ("studio", "alohomora")}
    return found


async def play(boxes: ImageInn, seconds: int = 3) -> None:
    """What the house does in so many seconds."""
    for _ in range(seconds):
        await boxes.inn.inn.play.programs.keep()
        for _ in range(5):  # an image is fetched in the background
            await boxes.inn.settle()
        boxes.inn.clock.advance(1)


async def released(boxes: ImageInn) -> AsyncEdgegap:
    """A matchmaker whose components have been asked for."""
    client = boxes.inn.edgegap()
    for name in IMAGES:
        login = ComponentCredentials(username="studio", token="alohomora") if name == "front" else None
        await client.matchmaker.create_component(
            MatchmakerComponentCreate(
                name=name, repository="ghcr.io", image=f"studio/{name}", tag="1", credentials=login
            )
        )
    await client.matchmaker.create_component_env(MatchmakerComponentEnvsCreate(key="MODE", value="casual"), "director")
    await client.matchmaker.create_matchmaker(MatchmakerCreate(name="arena"))
    await client.matchmaker_releases.create_release(
        MatchmakerReleaseCreate(
            version="r1", app_name="game", version_name="v1", frontend_component_name="front",
            director_component_name="director", match_function_component_name="function",
        ),
        "arena",
    )  # fmt: skip
    return client


async def living(boxes: ImageInn) -> dict[str, tuple[str, Launch]]:
    """Server and launch of what runs, by part."""
    found = await rows(
        boxes.inn,
        "select l.name, s.id from servers s join orders o on o.server_id = s.id join labels l on l.id = o.label_id"
        " where s.state = 'running'",
    )
    assert len(found) == len(dict(found)), found
    return {name: (id, boxes.engine.launches[id]) for name, id in found}


async def test_three_components_come_up_and_know_each_other(boxes: ImageInn) -> None:
    client = await released(boxes)
    assert (await client.matchmaker.get_matchmaker("arena")).url is None
    await play(boxes, 8)
    up = await living(boxes)
    assert set(up) == {"frontend", "function", "director"}
    frontend, function, director = (up[part][1] for part in ("frontend", "function", "director"))
    url = (await client.matchmaker.get_matchmaker("arena")).url
    assert url == f"http://198.51.100.8:{frontend.ports[0].number}"
    assert director.env["FRONTEND_ADDR"] == f"198.51.100.8:{frontend.ports[0].number}"
    assert director.env["MATCH_FUNCTION_ADDR"] == f"198.51.100.8:{function.ports[0].number}"
    assert (director.env["MODE"], director.env["APP_NAME"], director.env["APP_VERSION"]) == ("casual", "game", "v1")
    assert (frontend.env["HTTP_SERVE_PORT"], frontend.ports[0].inside) == ("51504", 51504)
    # Passes go on and change nothing, also in a house that was opened anew.
    await boxes.inn.restart()
    await play(boxes, 3)
    assert {part: id for part, (id, _) in (await living(boxes)).items()} == {part: id for part, (id, _) in up.items()}


async def test_what_dies_is_started_again_and_its_director_told(boxes: ImageInn) -> None:
    await released(boxes)
    await play(boxes, 8)
    before = await living(boxes)
    boxes.engine.end(before["function"][0], EndedBy.EXIT, 1)
    await play(boxes, 12)
    after = await living(boxes)
    assert set(after) == set(before)
    assert after["frontend"][0] == before["frontend"][0]
    assert after["function"][0] != before["function"][0]
    address = f"198.51.100.8:{after['function'][1].ports[0].number}"
    assert after["director"][1].env["MATCH_FUNCTION_ADDR"] == address


async def test_a_component_that_is_changed_is_started_anew(boxes: ImageInn) -> None:
    client = await released(boxes)
    await play(boxes, 8)
    before = await living(boxes)
    await client.matchmaker.update_component(MatchmakerComponentUpdate(tag="2"), "director")
    await play(boxes, 8)
    after = await living(boxes)
    assert after["director"][1].image != before["director"][1].image
    assert [after[part][0] == before[part][0] for part in ("frontend", "function", "director")] == [True, True, False]


async def test_one_that_was_changed_after_a_crash_leaves_no_other_running(boxes: ImageInn) -> None:
    client = await released(boxes)
    await play(boxes, 8)

    def as_if_it_was_not_written_down() -> Steps[None]:
        yield Statement("update programs set server_id = null, address = null where part = 'director'")

    await boxes.inn.inn.db.write(as_if_it_was_not_written_down)
    await client.matchmaker.update_component(MatchmakerComponentUpdate(tag="2"), "director")
    await boxes.inn.restart()
    await play(boxes, 8)
    assert set(await living(boxes)) == {"frontend", "function", "director"}  # and no two of one


async def test_a_component_is_changed_as_a_whole_or_not_at_all(boxes: ImageInn) -> None:
    client = await released(boxes)
    components, org = boxes.inn.inn.play.components, boxes.inn.inn.founded.org_id
    with pytest.raises(UnicodeEncodeError):
        await components.change(org, "front", tag="2", login=("studio", "\ud800"))
    assert (await client.matchmaker.get_component("front")).tag == "1"


async def test_an_image_that_cannot_be_had_is_tried_again_after_a_while(boxes: ImageInn) -> None:
    await released(boxes)
    del boxes.images.registry["ghcr.io/studio/function:1"]
    await play(boxes, 6)
    assert set(await living(boxes)) == {"frontend"}
    reason = (await rows(boxes.inn, "select reason from programs where part = 'function'"))[0][0]
    assert reason is not None
    boxes.images.registry["ghcr.io/studio/function:1"] = "amd64"
    await play(boxes, 20)
    assert set(await living(boxes)) == {"frontend", "function", "director"}


@pytest.mark.parametrize("how", ["release", "matchmaker", "managed"])
async def test_what_no_release_runs_any_more_ends(boxes: ImageInn, how: str) -> None:
    client = await released(boxes)
    await play(boxes, 8)
    with pytest.raises(StatusError, match="the component front is run by the release r1"):
        await client.matchmaker.delete_component("front")
    releases = client.matchmaker_releases
    if how == "release":
        await releases.delete_release("arena", "r1")
    elif how == "matchmaker":
        await client.matchmaker.delete_matchmaker("arena")
    else:
        await releases.create_release_config(MatchmakerReleaseConfigCreate(name="rules", configuration=config()))
        await releases.create_managed_release(
            MatchmakerManagedReleaseCreate(version="r2", release_config_name="rules"), "arena"
        )
    await play(boxes, 2)
    assert await living(boxes) == {}
    assert await rows(boxes.inn, "select part from programs") == []
