"""Further organisations and persons, and apps with a secret that was brought along, as an operator makes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from inns import RunningInn

from .conftest import Line

WORD = {"INNKEEPER_PASSPHRASE": "correct horse battery"}
OLD = "e2d8571e-eb89-4a38-b0b2-2fd4c3f3c5e3"  # as apps of 2023 were called: it looks like no id of ours
SECRET = "secret-0b6e2f7c-6c0f-4d58-9a5f-3f2f5b1f0c55"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        (b"short", "has 5 characters"),
        (b"x" * 501, "has 501 characters"),
        (b"\xff\xfe\x00binary", "is no text"),
        (b"\x00" * 20, "more than one line, or characters of no text"),
        (b"first line here\nsecond line\n", "more than one line"),
    ],
)
def test_a_file_that_holds_no_secret(innkeeper: Line, tmp_path: Path, content: bytes, why: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    calls = (
        ("apps", "create", "none", "--keep-id", "app-none", "--secret-file", file),
        ("apps", "set-secret", "none", "--secret-file", file, "--yes"),
    )
    for call in calls:
        told = innkeeper(*call, code=2).stderr
        assert why in told
        assert "8 to 500 characters" in told
    assert "none" not in innkeeper("apps", "list").stdout


def test_an_adopted_app_and_a_secret_that_is_mended(innkeeper: Line, tmp_path: Path) -> None:
    wrong, right = tmp_path / "wrong", tmp_path / "right"
    wrong.write_text("not the secret\n")
    right.write_text(f"{SECRET}\r\n")
    create = ("apps", "create", "legacy", "--keep-id", OLD, "--secret-file")
    innkeeper(*create, wrong)
    assert "Aborted" in innkeeper("apps", "set-secret", "legacy", "--secret-file", right, code=1).stderr
    assert (
        "say which secret" in innkeeper("apps", "set-secret", "legacy", "--new", "--secret-file", right, code=2).stderr
    )
    assert "say which secret" in innkeeper("apps", "set-secret", "legacy", code=2).stderr
    told = innkeeper("apps", "set-secret", OLD, "--secret-file", right, "--yes").stdout
    assert "keep the one before until they end" in told
    assert innkeeper.json("apps", "info", "legacy", "--secret")["appSecret"] == SECRET
    made = innkeeper("apps", "set-secret", "legacy", "--new", "--yes")
    assert "apps info legacy --secret" in made.stderr
    assert innkeeper.json("apps", "info", OLD, "--secret")["appSecret"].startswith("secret-")
    assert "there is an app" in innkeeper("apps", "create", "x", "--keep-id", OLD, code=1).stderr
    innkeeper("apps", "delete", "legacy", "--yes")
    innkeeper(*create, right)  # the id is not burnt
    assert innkeeper.json("apps", "info", "legacy", "--secret")["appSecret"] == SECRET
    innkeeper("apps", "delete", OLD, "--yes")
    assert "--org goes with --keep-id" in innkeeper("apps", "create", "x", "--org", "org-1", code=2).stderr


def test_an_organisation_and_a_person_in_it(innkeeper: Line, inn: RunningInn) -> None:
    made = innkeeper("orgs", "create", "Second studio", "--owner", "kim@example.com")
    token = made.stdout.strip()
    assert token.startswith("hathora_org_st_")
    assert "kim@example.com's: keep it" in made.stderr
    kim = {"INNKEEPER_TOKEN": token, "INNKEEPER_URL": inn.url}
    [org] = innkeeper.json("orgs", "list", env=kim)
    assert org["name"] == "Second studio"
    assert "is called Second now" in innkeeper("orgs", "rename", org["orgId"], "Second").stdout
    assert "there is no organisation" in innkeeper("orgs", "rename", "org-none", "x", code=4).stderr
    assert {one["name"] for one in innkeeper.json("orgs", "limits")} > {"Second"}
    nobody = innkeeper("tokens", "create", "ann", "--for", "ann@example.com", code=4, env=kim).stderr
    assert "invite them first" in nobody
    invited = innkeeper("orgs", "invite", "ann@example.com", "--role", "viewer", env=kim)
    assert "Invited ann@example.com as viewer." in invited.stdout
    assert "tokens create NAME --for ann@example.com" in invited.stderr
    assert ["ann@example.com", "viewer", "invited", "kim@example.com"] in innkeeper.lines("orgs", "members", env=kim)
    wrong = innkeeper("tokens", "create", "ann", "--for", "ann@example.com", "--admin", code=2, env=kim).stderr
    assert "leave --admin out" in wrong
    let_in = innkeeper("tokens", "create", "ann", "--for", "ann@example.com", env=kim)
    assert "has joined by it" in let_in.stderr
    ann = {"INNKEEPER_TOKEN": let_in.stdout.strip(), "INNKEEPER_URL": inn.url}
    assert [one["name"] for one in innkeeper.json("orgs", "list", env=ann)] == ["Second"]
    assert len(innkeeper.json("orgs", "members", env=ann)["members"]) == 2
    more = ("tokens", "create", "ann 2", "--for", "ann@example.com", "--scope", "builds:read")
    assert innkeeper.json(*more, env=kim)["joined"] is False
    again = innkeeper("tokens", "reset", "--org", org["orgId"])
    assert "is no longer good" in again.stderr
    assert [one["orgId"] for one in innkeeper.json("orgs", "list", env=kim | {"INNKEEPER_TOKEN": again.stdout.strip()})]
    assert innkeeper.json("orgs", "list"), "the file's token is the one it was"
    assert "[ORG]" in innkeeper("orgs", "limits", "--help").stdout


def test_some_apps_become_a_house(innkeeper: Line, house: RunningInn, tmp_path: Path) -> None:
    innkeeper("apps", "create", "moving")
    innkeeper("export", tmp_path / "one", "--app", "moving", env=WORD)
    there = {"INNKEEPER_DATA": str(house.data)}
    taken = innkeeper("import", tmp_path / "one", env=WORD | there)
    assert f"{innkeeper.inn.org_id} (" in taken.stderr
    assert "runs the house" in taken.stderr
    assert "Nothing was changed." in innkeeper("import", tmp_path / "one", env=WORD | there).stdout
    other = innkeeper("import", tmp_path / "one", "--operator", "Nobody", code=1, env=WORD | there).stderr
    assert "there is no organisation 'Nobody'" in other
    told = innkeeper("tokens", "reset", env=there).stdout
    assert "A new admin token is in" in told
    house.start()
    assert [app["appName"] for app in Line(house).json("apps", "list")] == ["moving"]
    assert [one["orgId"] for one in Line(house).json("orgs", "limits")] == [house.org_id]
    assert house.org_id == innkeeper.inn.org_id
