"""The output of many servers as one stream of whole lines: the past, and what comes."""

from __future__ import annotations

import asyncio
import re

from api.wire import ask
from factories import TOKYO, Game, TestInn
from flows.reading import following, past, say, server
from innkeeper.contract.hathora.words import Region
from innkeeper.engines.base import EndedBy
from innkeeper.hosting import manylogs
from manyhosts import another, engine_of, where

# -- the past ---------------------------------------------------------------------------------------------------------


async def test_lines_are_counted_from_the_newest_and_told_from_the_oldest(inn: TestInn) -> None:
    game = await inn.game()
    await server(game, b"".join(b"old %d\n" % number for number in range(80)))
    ended = await server(game, b"one\ntwo\nhalf")
    await server(game)
    await server(game, b"".join(b"new %d\n" % number for number in range(30)))
    inn.engine.end(ended, EndedBy.EXIT, 0)
    await inn.settle()
    new = [f"new {number}" for number in range(30)]
    middle = ["one", "two", "half"]  # what was never ended is ended here
    assert await past(game) == [f"old {number}" for number in range(13, 80)] + middle + new
    assert await past(game, "?tailLines=5") == new[-5:]
    assert await past(game, "?tailLines=32") == ["two", "half", *new]
    assert await past(game, "?tailLines=34") == ["old 79", *middle, *new]
    assert len(await past(game, "?tailLines=5000")) == 113


async def test_a_region_a_deployment_and_another_app(inn: TestInn) -> None:
    game, other = await inn.game(), await inn.game()
    await server(game, b"tokyo 1\n")
    await server(game, b"london 1\n", Region.LONDON)
    await server(other, b"other\n")
    second = await game.release()
    await server(game, b"tokyo 2\n")
    assert await past(game) == ["tokyo 1", "london 1", "tokyo 2"]
    assert await past(game, "?region=London") == ["london 1"]
    assert await past(game, "?region=Sydney") == []
    assert await past(game, of="deployment/1") == ["tokyo 1", "london 1"]
    assert (
        await past(game, of="deployment/2") == await past(game, of=f"deployment/{second.deployment_id}") == ["tokyo 2"]
    )
    assert await past(game, "?tailLines=1", of="deployment/1") == ["london 1"]
    rival = await inn.another_org()
    for of in ("all", "deployment/1", "deployment/3", "deployment/dep-none", f"deployment/{'9' * 40}"):
        token = rival if of in ("all", "deployment/1") else inn.token
        answer = await ask(inn, "GET", f"/logs/v1/{game.app_id}/{of}?follow=true", token=token)
        assert (answer.status, bool(answer.message)) == (404, True), of


async def test_output_that_is_gone_is_left_out(inn: TestInn) -> None:
    game = await inn.game()
    first = await server(game, b"first\n")
    inn.engine.end(first, EndedBy.EXIT, 0)
    await inn.advance(inn.settings.keep_hours * 3600 + 60)
    await server(game, b"second\n")
    assert await past(game) == ["first", "second"]
    await inn.sweep()
    assert await past(game) == ["second"]


async def on_two_hosts(inn: TestInn) -> tuple[Game, str, str]:
    """A game with a server here, and one on a host that a network leads to."""
    await inn.stop()
    inn.further_hosts = [another(inn)]
    await inn.start()
    game = await inn.game()
    made = [await server(game, b"line of %d\n" % number) for number in range(2)]
    hosts = {(await where(inn, process_id))[0]: process_id for process_id in made}
    return game, hosts["fake"], hosts["other"]


async def test_of_a_host_that_does_not_answer_is_told_which_server_is_missing(inn: TestInn) -> None:
    game, _, far = await on_two_hosts(inn)
    engine_of(inn, "other").cut_off = True
    found = await past(game)
    assert len(found) == 2
    assert len([line for line in found if re.fullmatch(r"line of \d", line)]) == 1
    (missing,) = [line for line in found if line.startswith("[")]
    assert missing == f"[host other does not answer now; it keeps the output of server {far}]"


# -- what comes -------------------------------------------------------------------------------------------------------


async def test_the_past_then_what_comes_and_who_starts_later(inn: TestInn) -> None:
    game = await inn.game()
    ended, first = await server(game, b"gone 1\ngone 2\n"), await server(game, b"first 1\nfirst 2\n")
    inn.engine.end(ended, EndedBy.EXIT, 0)
    second = await server(game, b"second 1\nsecond 2\nsecond")
    async with following(game, tail=6) as reader:
        await reader.reads("gone 2", "first 1", "first 2", "second 1", "second 2")
        say(inn, first, b"first 3\nfirst")
        await reader.sees(lambda text: "first 3" in text)
        say(inn, second, b" 3\nsecond 4\n")
        say(inn, first, b" 4\n")
        text = await reader.sees(lambda text: "first 4" in text and "second 4" in text)
        assert "second 3\nsecond 4\n" in text  # one line of three pieces, never torn by the other's
        third = await server(game, b"third 1\n")
        say(inn, third, b"third 2\nlast words")
        await reader.sees(lambda text: "third 2" in text)
        inn.engine.end(third, EndedBy.EXIT, 0)
        await reader.sees(lambda text: text.endswith("last words\n"))
        assert not reader.task.done()
        lines = reader.text.decode().splitlines()
        expected = ["gone 2", "third 1", "third 2", "last words"]
        expected += [f"{name} {number}" for name in ("first", "second") for number in range(1, 5)]
        assert sorted(lines) == sorted(expected)


async def test_one_that_waits_for_its_host_is_told_from_its_first_line(inn: TestInn) -> None:
    game = await inn.game()
    inn.engine.unavailable = True
    process = await game.cloud.processes_v3.create_process(TOKYO)
    await inn.settle()
    inn.behave(output=b"hello\n")
    async with following(game) as reader:
        await inn.advance(3)
        assert reader.text == b""
        inn.engine.unavailable = False
        await reader.reads("hello")
        inn.engine.end(process.process_id, EndedBy.EXIT, 0)
        say(inn, process.process_id, b"bye\n")
        await reader.reads("hello", "bye")


async def test_one_that_lives_for_a_moment_is_told_whole(inn: TestInn) -> None:
    game = await inn.game()
    inn.behave(output=b"boot\nfatal\n", crash_after=0.0)
    async with following(game) as reader:
        await game.cloud.processes_v3.create_process(TOKYO)
        await reader.reads("boot", "fatal")


async def test_a_region_and_a_deployment_are_followed_alone(inn: TestInn) -> None:
    game = await inn.game()
    old = await server(game, b"old\n")
    await game.release()
    async with (
        following(game, location="london") as london,
        following(game, release_id=game.deployment.deployment_id) as new,
    ):
        await server(game, b"tokyo\n")
        await server(game, b"london\n", Region.LONDON)
        say(inn, old, b"old again\n")
        await london.reads("london")
        await new.sees(lambda text: set(text.split()) == {"tokyo", "london"})


async def test_a_host_that_falls_silent_is_told_and_taken_up_again(inn: TestInn) -> None:
    game, near, far = await on_two_hosts(inn)
    async with following(game, tail=1) as reader:
        await reader.sees(lambda text: "line of 1" in text)
        engine_of(inn, "other").cut_off = True
        for _ in range(12):
            await inn.advance(1)
        say(inn, near, b"near\n")
        text = await reader.sees(lambda text: "near" in text)
        assert text.count(f"[host other does not answer; what server {far} prints is missing]\n") == 1


async def test_a_host_that_was_silent_for_a_moment_is_followed_on(inn: TestInn) -> None:
    game, _, far = await on_two_hosts(inn)
    engine_of(inn, "other").cut_off = True
    async with following(game) as reader:
        await reader.sees(lambda text: "does not answer now" in text)
        engine_of(inn, "other").cut_off = False
        await inn.advance(2)
        say(inn, far, b"back\n")
        await reader.sees(lambda text: text.endswith("back\n"))


async def test_no_more_than_so_many_are_followed_at_a_time(small_inn: TestInn) -> None:
    inn = small_inn
    game = await inn.game()
    made = [await server(game, b"past %d\n" % number) for number in range(manylogs.FOLLOWED + 2)]
    async with following(game, tail=5000) as reader:
        text = await reader.sees(lambda text: "wait for a place" in text)
        lines = text.splitlines()
        assert lines == [
            *(f"past {n}" for n in range(len(made))),
            "[100 servers are followed, as many as can be; 2 wait for a place]",
        ]
        say(inn, made[0], b"oldest\n")
        say(inn, made[-1], b"newest\n")
        text = await reader.sees(lambda text: "newest" in text)
        late = await server(game, b"late\n")
        text = await reader.sees(lambda text: "3 wait for a place" in text)
        assert not {"oldest", "late"} & set(text.splitlines())
        inn.engine.end(made[50], EndedBy.EXIT, 0)
        await reader.sees(lambda text: "late" in text)  # the newest that waits, from its first line
        inn.engine.end(late, EndedBy.EXIT, 0)
        await inn.advance(3)
        say(inn, made[1], b"second oldest\n")  # from now on
        text = await reader.sees(lambda text: "second oldest" in text)
        assert "oldest" not in text.splitlines()


async def test_the_stream_ends_with_its_app(inn: TestInn) -> None:
    game = await inn.game()
    await server(game, b"here\n")
    async with following(game) as reader:
        await reader.reads("here")
        await game.cloud.apps_v2.delete_app()
        for _ in range(30):
            if reader.task.done():
                break
            await inn.advance(0.1)
        assert reader.task.done()
        assert reader.task.exception() is None


async def test_a_database_that_is_away_for_a_while_ends_nothing(inn: TestInn) -> None:
    game = await inn.game()
    first = await server(game, b"here\n")
    async with following(game) as reader:
        await reader.reads("here")
        inn.trouble.away = True
        for _ in range(30):
            inn.clock.advance(0.1)
            await asyncio.sleep(0)
        say(inn, first, b"still\n")
        inn.trouble.away = False
        await reader.reads("here", "still")
        await server(game, b"new\n")
        await reader.reads("here", "still", "new")


async def test_who_goes_leaves_nothing_behind(inn: TestInn) -> None:
    game = await inn.game()
    await server(game, b"here\n")
    await inn.quiet()
    before = asyncio.all_tasks()
    async with following(game) as reader:
        await reader.reads("here")
        assert len(asyncio.all_tasks()) > len(before) + 1
    await inn.quiet()
    assert {task.get_name() for task in asyncio.all_tasks()} <= {task.get_name() for task in before}
