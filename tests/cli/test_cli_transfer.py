"""``innkeeper export`` and ``import`` as people and scripts call them, beside a house that runs."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from .conftest import Line

WORD = {"INNKEEPER_PASSPHRASE": "correct horse battery"}


def test_a_house_goes_out_and_in(innkeeper: Line, tmp_path: Path) -> None:
    innkeeper("apps", "create", "chess")
    parcel, data = tmp_path / "house.inn", tmp_path / "data"
    said = innkeeper("export", parcel, env=WORD)
    assert f"Wrote {parcel}, " in said.stdout
    assert "1 organisation, 1 app, 1 token" in said.stdout
    assert "orgs" in innkeeper("import", parcel, "--show").stdout
    shown = innkeeper.json("import", parcel, "--show")
    assert shown["apps"] == "all"
    assert shown["rows"]["apps"] == 1
    there = {"INNKEEPER_DATA": str(data)}
    tried = innkeeper("import", parcel, "--dry-run", env=WORD | there)
    assert "It can be imported: 1 organisation, 1 app, 1 token. Nothing was changed." in tried.stdout
    assert not data.exists()
    assert not innkeeper.json("import", parcel, "--dry-run", env=WORD | there)["imported"]
    said = innkeeper("import", parcel, env=WORD | there)
    assert f"into {data}. Start it with `innkeeper up --data {data}`." in said.stdout
    # The folder knows its house from now on: another database is not founded in beside it.
    other = f"sqlite:///{tmp_path}/other.db"
    refused = innkeeper("tokens", "reset", "--data", data, "--database", other, code=1).stderr
    assert f"the data folder {data} belongs to the house " in refused
    assert not (tmp_path / "other.db").exists()
    assert "Nothing was changed." in innkeeper("import", parcel, env=WORD | there).stdout
    again = innkeeper.json("import", parcel, env=WORD | there)
    assert again["new"] == {}
    assert again["same"]["apps"] == 1


def test_some_apps_by_name(innkeeper: Line, tmp_path: Path) -> None:
    innkeeper("apps", "create", "go")
    word = tmp_path / "word"
    word.write_text("correct horse battery\nand more\n")
    told = innkeeper.json("export", tmp_path / "one", "--app", "go", "--passphrase-file", word)
    assert len(told["apps"]) == 1
    assert told["rows"]["apps"] == 1
    assert "founding" not in told["rows"]
    shown = innkeeper("import", tmp_path / "one", "--show").stdout
    assert f"1 app: {told['apps'][0]}" in shown
    assert "there is no app 'x'" in innkeeper("export", tmp_path / "x", "--app", "x", code=1, env=WORD).stderr


def test_what_is_wrong_is_said(innkeeper: Line, tmp_path: Path) -> None:
    parcel = tmp_path / "house.inn"
    nothing = {"INNKEEPER_PASSPHRASE": ""}
    assert "there is no passphrase" in innkeeper("export", parcel, code=2, env=nothing).stderr
    assert "cannot be read: No such file" in innkeeper(
        "export", parcel, "--passphrase-file", tmp_path / "no", code=2
    ).stderr  # fmt: skip
    (tmp_path / "empty").write_text("\n")
    assert "has no first line" in innkeeper("export", parcel, "--passphrase-file", tmp_path / "empty", code=2).stderr
    assert "8 characters or more" in innkeeper("export", parcel, code=1, env={"INNKEEPER_PASSPHRASE": "short"}).stderr
    assert not parcel.exists()
    innkeeper("export", parcel, env=WORD)
    assert "already; name another one" in innkeeper("export", parcel, code=1, env=WORD).stderr
    assert "another Innkeeper runs on" in innkeeper("import", parcel, code=1, env=WORD).stderr
    wrong = {"INNKEEPER_PASSPHRASE": "wrong horse battery", "INNKEEPER_DATA": str(tmp_path / "data")}
    assert "the passphrase is not the one" in innkeeper("import", parcel, code=1, env=wrong).stderr
    assert not (tmp_path / "data").exists()
    parcel.write_bytes(parcel.read_bytes()[:-50])
    said = innkeeper("import", parcel, "--json", code=1, env=WORD | {"INNKEEPER_DATA": str(tmp_path / "data")}).stderr
    assert "cut off or damaged" in json.loads(said.splitlines()[-1])["error"]["message"]


def test_conflicts_are_a_list_for_programs(innkeeper: Line, tmp_path: Path) -> None:
    parcel, data = tmp_path / "house.inn", tmp_path / "data"
    there = WORD | {"INNKEEPER_DATA": str(data)}
    innkeeper("export", parcel, env=WORD)
    innkeeper("import", parcel, env=there)
    with sqlite3.connect(data / "innkeeper.db") as database:
        database.execute("update orgs set name = 'Other'")
    database.close()
    said = innkeeper("import", parcel, "--json", code=1, env=there).stderr
    [conflict] = json.loads(said.splitlines()[-1])["error"]["conflicts"]
    assert conflict["table"] == "orgs"
    assert conflict["why"] == "the house has it with another name"
