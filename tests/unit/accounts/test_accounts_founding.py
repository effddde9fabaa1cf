"""The first start, cut off at every point and repeated; and what later starts find."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from innkeeper.accounts.credentials import Credentials, read_credentials, write_credentials
from innkeeper.accounts.founding import Founded, Standing
from innkeeper.accounts.model import Limits
from innkeeper.accounts.scopes import ADMIN
from innkeeper.db.database import Database, Statement, Steps
from innkeeper.kit.errors import Invalid, NotFound, Unauthorized

from .house import House

URL = "http://127.0.0.1:7900"


class Crash(BaseException):
    """The end of the process, as far as the code under test can see."""


class Cut:
    """A database in front of which, or behind which, the process ends."""

    kind = "cut"

    def __init__(self, db: Database, when: str) -> None:
        self._db, self._when = db, when
        self.close = db.close
        self.when_written = db.when_written

    async def read(self, steps, *args, **kwargs):  # type: ignore[no-untyped-def]
        return await self._db.read(steps, *args, **kwargs)

    async def write(self, steps, *args, **kwargs):  # type: ignore[no-untyped-def]
        if self._when == "before the commit":
            raise Crash
        await self._db.write(steps, *args, **kwargs)
        raise Crash


def file_of(house: House) -> Path:
    return house.folder / "credentials.json"


def _orgs_and_tokens() -> Steps[tuple[int, int]]:
    orgs = yield Statement("select id from orgs")
    tokens = yield Statement("select id from org_tokens where revoked_at is null")
    return len(orgs), len(tokens)


async def assert_whole(house: House, founded: Founded) -> None:
    """One organisation, one token, and the file has that token and is private."""
    said = json.loads(file_of(house).read_text())
    caller = await house.callers.recognise(said["token"])
    assert said == {"url": URL, "orgId": founded.org_id, "token": said["token"]}
    assert (caller.org_id, caller.grant, caller.by) == (founded.org_id, ADMIN, "owner@localhost")
    assert file_of(house).stat().st_mode & 0o777 == 0o600
    assert await house.db.read(_orgs_and_tokens) == (1, 1)


async def test_the_first_start_makes_an_organisation_and_shows_its_token_once(db: Database, tmp_path: Path) -> None:
    house = House(db, tmp_path / "data")
    first = await house.founding.found(URL, name="Studio", limits=Limits(memory_mb=100, cpus=1.5))
    assert first.standing is Standing.NEW
    assert first.token == json.loads(file_of(house).read_text())["token"]
    assert first.token not in repr(first)
    assert first.advice == ""
    await assert_whole(house, first)
    org = await house.organisations.get(first.org_id)
    assert (org.name, org.limits) == ("Studio", Limits(memory_mb=100, cpus=1.5))

    second = await house.founding.found(URL, name="Other")
    assert second == Founded(Standing.KNOWN, first.org_id, file_of(house), None)
    await assert_whole(house, second)
    assert os.listdir(tmp_path / "data") == ["credentials.json"]


async def test_a_start_cut_off_before_the_file_leaves_nothing_that_counts(db: Database, tmp_path: Path) -> None:
    house = House(db, tmp_path)
    (tmp_path / ".credentials.json.half").write_text('{"url": ')  # what a file that was being written looks like
    founded = await house.founding.found(URL)
    assert founded.standing is Standing.NEW
    await assert_whole(house, founded)


@pytest.mark.parametrize(
    ("when", "standing"), [("before the commit", Standing.NEW), ("after the commit", Standing.KNOWN)]
)
async def test_a_start_cut_off_is_finished_by_the_next(
    db: Database, tmp_path: Path, when: str, standing: Standing
) -> None:
    with pytest.raises(Crash):
        await House(Cut(db, when), tmp_path).founding.found(URL)
    token = json.loads((tmp_path / "credentials.json").read_text())["token"]

    house = House(db, tmp_path, seed=2)
    founded = await house.founding.found(URL)

    assert founded.standing is standing
    assert founded.token == (token if standing is Standing.NEW else None)
    assert json.loads(file_of(house).read_text())["token"] == token
    await assert_whole(house, founded)


async def test_a_file_made_by_hand_before_the_first_start_is_taken_at_its_word(db: Database, tmp_path: Path) -> None:
    house = House(db, tmp_path)
    brought = "hathora_org_st_brought-along_0123456789abcdef"
    write_credentials(tmp_path, Credentials("http://old", "org-from-before", brought), replace=True)
    founded = await house.founding.found(URL)
    assert (founded.org_id, founded.token) == ("org-from-before", brought)
    assert (await house.callers.recognise(brought)).may("apps:anything")


@pytest.mark.parametrize("token", ["x" * 31, "x" * 513])
async def test_a_weak_token_made_by_hand_is_refused(db: Database, tmp_path: Path, token: str) -> None:
    write_credentials(tmp_path, Credentials("http://old", "org-from-before", token), replace=True)
    with pytest.raises(Invalid, match=r"credentials\.json must have from 32 to 512 characters") as caught:
        await House(db, tmp_path).founding.found(URL)
    assert token not in str(caught.value)
    assert await db.read(_orgs_and_tokens) == (0, 0)


async def test_starts_at_the_same_time_make_one_organisation(db: Database, tmp_path: Path) -> None:
    houses = [House(db, tmp_path / "one", seed) for seed in range(4)]
    founded = await asyncio.gather(*(house.founding.found(URL) for house in houses))
    assert sorted(each.standing for each in founded) == [Standing.KNOWN] * 3 + [Standing.NEW]
    await assert_whole(houses[0], founded[0])


async def test_starts_at_the_same_time_in_two_folders_make_one_organisation(db: Database, tmp_path: Path) -> None:
    houses = [House(db, tmp_path / name, seed) for seed, name in enumerate(("one", "two"))]
    founded = await asyncio.gather(*(house.founding.found(URL) for house in houses))
    assert sorted(each.standing for each in founded) == [Standing.NEW, Standing.NO_FILE]
    winner = founded.index(next(each for each in founded if each.token))
    await assert_whole(houses[winner], founded[winner])
    assert not file_of(houses[1 - winner]).exists()  # no file with a token that nobody knows
    assert founded[0].org_id == founded[1].org_id


async def test_a_lost_file_brings_no_new_token_but_advice(house: House) -> None:
    file_of(house).unlink()
    founded = await house.founding.found(URL)
    assert founded.standing is Standing.NO_FILE
    assert "innkeeper tokens reset" in founded.advice
    assert not file_of(house).exists()
    assert await house.db.read(_orgs_and_tokens) == (1, 1)


@pytest.mark.parametrize("revoked", [True, False])
async def test_a_file_with_another_token_is_left_alone(house: House, revoked: bool) -> None:
    if revoked:
        await house.tokens.revoke(house.owner, house.owner.token_id)
    else:
        write_credentials(house.folder, Credentials(URL, "org-other", "unknown"), replace=True)
    before = file_of(house).read_bytes()
    founded = await house.founding.found(URL)
    assert founded.standing is Standing.STRANGE_FILE
    assert "innkeeper tokens reset" in founded.advice
    assert file_of(house).read_bytes() == before


async def test_a_new_address_is_written_into_the_file(house: House) -> None:
    before = read_credentials(house.folder)
    assert before is not None
    assert (await house.founding.found("http://10.0.0.1:80")).standing is Standing.KNOWN
    assert read_credentials(house.folder) == Credentials("http://10.0.0.1:80", before.org_id, before.token)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"url": "u", "orgId": "o", "token": 7}', '{"url": "u", "orgId": "o", "token": ""}', "\xff"],
)
async def test_a_file_that_says_something_else_is_an_error_that_shows_nothing(house: House, text: str) -> None:
    file_of(house).write_bytes(text.encode("latin-1"))
    with pytest.raises(Invalid, match=r"credentials\.json must be a JSON object with the texts") as caught:
        await house.founding.found(URL)
    assert caught.value.__cause__ is None


async def test_an_owner_must_have_an_address(db: Database, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="owner: 'me' is not an e-mail address"):
        await House(db, tmp_path / "data").founding.found(URL, owner="me")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("file", ["there", "gone"])
async def test_a_new_admin_token_ends_the_old_one(house: House, file: str) -> None:
    old = read_credentials(house.folder)
    assert old is not None
    if file == "gone":
        file_of(house).unlink()

    new = await house.founding.reissue_admin(URL)

    assert read_credentials(house.folder) == new
    assert new.token not in repr(new)
    caller = await house.callers.recognise(new.token)
    assert (caller.org_id, caller.grant) == (house.owner.org_id, ADMIN)
    with pytest.raises(Unauthorized):
        await house.callers.recognise(old.token)
    assert (await house.founding.found(URL)).standing is Standing.KNOWN
    assert await house.db.read(_orgs_and_tokens) == (1, 1)


@pytest.mark.parametrize("when", ["before the commit", "after the commit"])
async def test_a_new_admin_token_that_was_cut_off_is_asked_for_again(house: House, when: str) -> None:
    with pytest.raises(Crash):
        await House(Cut(house.db, when), house.folder, seed=2).founding.reissue_admin(URL)
    after = House(house.db, house.folder, seed=3)
    found = (await after.founding.found(URL)).standing
    assert found is (Standing.STRANGE_FILE if when == "before the commit" else Standing.KNOWN)

    new = await after.founding.reissue_admin(URL)

    assert (await after.callers.recognise(new.token)).grant == ADMIN
    assert await house.db.read(_orgs_and_tokens) == (1, 1)


async def test_there_is_no_new_admin_token_without_an_organisation(db: Database, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="start Innkeeper once"):
        await House(db, tmp_path).founding.reissue_admin(URL)
    assert not (tmp_path / "credentials.json").exists()
