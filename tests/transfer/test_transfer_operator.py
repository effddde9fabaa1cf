"""Who runs a house that some apps of another came into: the organisation of the file, and nothing is founded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from factories import TestInn
from innkeeper.accounts.callers import Callers
from innkeeper.accounts.founding import Founding, Standing
from innkeeper.accounts.operating import who_runs
from innkeeper.contract import errors
from innkeeper.contract.house.apps_v1 import AdoptedApp
from innkeeper.kit.clock import ManualClock
from innkeeper.kit.errors import Invalid, NotFound
from innkeeper.kit.ids import Chance
from innkeeper.transfer.running import decide

from .conftest import NewHouse
from .houses import House, empty, opened

STORES = ["sqlite", "postgresql"]
A, B = "org-a", "org-b"
TWO = {A: "Ann", B: "Bob"}


@pytest.mark.parametrize(
    ("marked", "orgs", "asked", "found"),
    [
        (None, {}, None, None),
        (None, {A: "Ann"}, None, A),
        (None, TWO, A, A),
        (None, TWO, "Bob", B),
        (A, TWO, None, A),
        (A, TWO, "Ann", A),
        (A, {A: "Ann"}, None, A),
    ],
)
def test_who_runs_a_house_after_an_import(
    marked: str | None, orgs: dict[str, str], asked: str | None, found: str | None
) -> None:
    assert decide(marked, orgs, asked) == found


@pytest.mark.parametrize(
    ("marked", "orgs", "asked", "why"),
    [
        (None, TWO, None, r"2 organisations, org-a \(Ann\), org-b \(Bob\), .* name it with --operator"),
        (None, TWO, "Carl", "there is no organisation 'Carl'"),
        (None, {A: "Same", B: "Same"}, "Same", "several organisations have the name 'Same'"),
        (A, TWO, B, r"org-a \(Ann\) runs this house already"),
    ],
)
def test_what_is_not_guessed(marked: str | None, orgs: dict[str, str], asked: str | None, why: str) -> None:
    with pytest.raises((Invalid, NotFound), match=why):
        decide(marked, orgs, asked)


@pytest.mark.parametrize(
    ("orgs", "said", "found"),
    [
        ({}, [None], None),
        (TWO, [None, B], B),
        (TWO, [A, B], A),
        ({A: "Ann"}, ["org-gone"], A),
        ({}, ["org-gone"], None),
    ],
)
def test_who_runs_a_house_that_is_started(orgs: dict[str, str], said: list[str | None], found: str | None) -> None:
    assert who_runs(orgs, said, "") == found


async def two_organisations(folder: Path) -> House:
    """A closed house: an app of the organisation that runs it, and one of another."""
    inn = TestInn(folder / "two", "")
    await inn.start()
    try:
        rival = await inn.another_org()
        [org] = (await inn.client(rival).organizations_v1.get_orgs()).orgs
        for name, org_id in (("ours", inn.inn.founded.org_id), ("theirs", org.org_id)):
            adopted = AdoptedApp(app_name=name, app_id=f"app-{name}", app_secret="a good secret", org_id=org_id)
            await inn.client().house.apps_v1.adopt_app(adopted)
        return House(
            inn.settings, {"admin": inn.token, "rival": rival, "org": inn.inn.founded.org_id, "other": org.org_id}
        )
    finally:
        await inn.stop()


async def runs(inn: TestInn, token: str) -> bool:
    """Whether the token's holder runs the house."""
    try:
        await inn.client(token).house.hosts_v1.get_hosts()
    except errors.NotFound:
        return False
    return True


@pytest.mark.parametrize("store", STORES)
async def test_an_empty_house_becomes_that_of_the_files_organisation(
    new_house: NewHouse, tmp_path: Path, store: str
) -> None:
    two, target = await two_organisations(tmp_path), await new_house(store)
    await two.export(tmp_path / "one", apps=["theirs"])
    arrived = await target.take(tmp_path / "one")
    assert (arrived.outcome.operator, arrived.outcome.operator_new) == (two.tokens["other"], True)
    again = await target.take(tmp_path / "one")
    assert (again.outcome.operator, again.outcome.operator_new) == (two.tokens["other"], False)
    for _ in range(2):  # and once more, as ever
        async with opened(target) as inn:
            assert (inn.inn.founded.standing, inn.inn.founded.org_id) == (Standing.NO_FILE, two.tokens["other"])
            assert "tokens reset" in inn.inn.founded.advice
            assert await runs(inn, two.tokens["rival"]), "the old token stays good, and is the operator's now"
            assert [app.app_id for app in (await inn.client(two.tokens["rival"]).apps_v2.get_apps()).applications] == [
                "app-theirs"
            ]
    assert await target.look("select id from orgs") == [(two.tokens["other"],)]
    token = await reset(target)
    async with opened(target) as inn:
        assert inn.inn.founded.standing is Standing.KNOWN
        assert await runs(inn, token)


async def reset(house: House, org_id: str | None = None) -> str:
    """As `innkeeper tokens reset` does."""
    clock, chance = ManualClock(), Chance()
    async with house.database() as db:
        founding = Founding(db, clock, chance, Callers(db, clock), house.folder)
        return (await founding.reissue_admin("http://inn", org_id)).token


async def test_with_the_old_credentials_beside_it(new_house: NewHouse, tmp_path: Path) -> None:
    two, target = await two_organisations(tmp_path), await new_house("sqlite")
    await two.export(tmp_path / "one", apps=["ours"])
    target.folder.mkdir(parents=True)
    shutil.copy(two.folder / "credentials.json", target.folder)  # before the import, or after it: all the same
    await target.take(tmp_path / "one")
    async with opened(target) as inn:
        assert inn.inn.founded.standing is Standing.KNOWN
        assert await runs(inn, two.tokens["admin"])
    # The file of another organisation's admin is told, and not replaced.
    other = await new_house("sqlite")
    await two.export(tmp_path / "theirs", apps=["theirs"])
    await other.take(tmp_path / "theirs")
    await other.take(tmp_path / "one")
    shutil.copy(two.folder / "credentials.json", other.folder)
    async with opened(other) as inn:
        assert inn.inn.founded.standing is Standing.GUEST_FILE
        assert "is good, but" in inn.inn.founded.advice
        assert not await runs(inn, two.tokens["admin"])
        assert await runs(inn, two.tokens["rival"])


async def test_apps_of_several_organisations(new_house: NewHouse, tmp_path: Path) -> None:
    two, target = await two_organisations(tmp_path), await new_house("sqlite")
    await two.export(tmp_path / "both", apps=["ours", "theirs"])
    for dry_run in (True, False):
        with pytest.raises(Invalid, match=r"there are 2 organisations, .*--operator"):
            await target.take(tmp_path / "both", dry_run=dry_run)
    assert await target.look("select 1 from orgs") == []
    for wish, dry_run in ((two.tokens["other"], True), ("Rivals", False), (None, False)):
        arrived = await target.take(tmp_path / "both", operator=wish, dry_run=dry_run)
        assert arrived.outcome.operator == two.tokens["other"]
    async with opened(target) as inn:
        assert await runs(inn, two.tokens["rival"])
        assert not await runs(inn, two.tokens["admin"])
    with pytest.raises(Invalid, match="runs this house already"):
        await target.take(tmp_path / "both", operator=two.tokens["org"])


@pytest.mark.parametrize("store", STORES)
async def test_a_house_that_nobody_runs(new_house: NewHouse, tmp_path: Path, store: str) -> None:
    """As earlier versions left one that some apps were imported into."""
    two, target = await two_organisations(tmp_path), await new_house(store)
    await two.export(tmp_path / "both", apps=["ours", "theirs"])
    await target.take(tmp_path / "both", operator=two.tokens["other"])
    await target.write("delete from founding")
    with pytest.raises(Invalid, match=r"2 organisations, .* repeat the import"):
        async with opened(target):
            pass
    assert not (await target.take(tmp_path / "both", dry_run=True, operator="Rivals")).outcome.new["orgs"]
    await target.take(tmp_path / "both", operator="Rivals")
    async with opened(target) as inn:
        assert await runs(inn, two.tokens["rival"])
    await target.write("delete from founding")
    shutil.copy(two.folder / "credentials.json", target.folder)
    async with opened(target) as inn:  # whose admin's token is in the file
        assert await runs(inn, two.tokens["admin"])
    assert await target.look("select count(*) from audit where verb = 'org.operate'") == [(1,)]


async def test_beside_a_house_that_somebody_runs(tmp_path: Path) -> None:
    two, target = await two_organisations(tmp_path), empty(tmp_path)
    await two.export(tmp_path / "one", apps=["theirs"])
    async with opened(target) as inn:
        first, own = inn.inn.founded.org_id, inn.token
    assert (await target.take(tmp_path / "one")).outcome.operator == first
    other = await reset(target, two.tokens["other"])
    async with opened(target) as inn:
        assert inn.inn.founded.standing is Standing.KNOWN
        assert await runs(inn, own)
        assert not await runs(inn, other)
        assert len((await inn.client(other).apps_v2.get_apps()).applications) == 1
    with pytest.raises(NotFound, match="there is no organisation 'org-none'"):
        await reset(target, "org-none")
