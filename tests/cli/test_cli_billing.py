"""Limits, accounts and invoices through the command line, against a real Innkeeper."""

from __future__ import annotations

from innkeeper.cli.failures import Code

from .conftest import EXAMPLE, Line


def test_limits_are_told_and_changed(innkeeper: Line) -> None:
    [own] = innkeeper.json("orgs", "limits")
    assert own["limits"]["cpus"] is None
    [heads, row] = innkeeper.lines("orgs", "limits", own["orgId"])
    assert heads[:3] == ["ID", "NAME", "CPUS"]
    assert row[0] == own["orgId"]
    [changed] = innkeeper.json("orgs", "limits", own["orgId"], "--cpus", "0", "--memory-mb", "2048")
    assert (changed["limits"]["cpus"], changed["limits"]["memoryMb"]) == (0, 2048)
    innkeeper("deploy", EXAMPLE, "--app", "first", "--create-app")
    refused = innkeeper("rooms", "create", "--region", "tokyo", code=Code.FAILED)
    assert "the organisation may use 0 processors" in refused.stderr
    told = innkeeper("orgs", "limits", own["orgId"], "--cpus", "none").stdout
    assert "no limit" in told
    innkeeper("rooms", "create", "--wait", "--region", "tokyo")
    assert "whose limits?" in innkeeper("orgs", "limits", "--cpus", "1", code=Code.FAILED).stderr
    assert "write a number, or none" in innkeeper("orgs", "limits", "x", "--cpus", "many", code=Code.USAGE).stderr
    assert "there is no organisation x" in innkeeper("orgs", "limits", "x", code=Code.FAILED).stderr


def test_the_account_of_a_month(innkeeper: Line) -> None:
    account = innkeeper.json("billing", "usage")
    assert [item["product"] for item in account["items"]] == ["Processor time", "Data sent"]
    assert (account["currency"], account["total"]) == ("USD", "0.00")
    told = innkeeper("billing", "usage", "--month", "2020-02")
    assert told.stderr == "Nothing was used in 2020-02.\n"
    assert "0.000 vCPU hour at 0: 0.00" in told.stdout
    refused = innkeeper("billing", "usage", "--month", "2020-13", code=Code.USAGE).stderr
    assert refused == "innkeeper: --month: write YYYY-MM, for example 2026-11, not '2020-13'\n"


def test_invoices(innkeeper: Line) -> None:
    assert innkeeper.json("billing", "list") == []
    assert "They are made when a month is over" in innkeeper("billing", "list").stderr
    assert "there is no invoice inv-1" in innkeeper("billing", "paid", "inv-1", code=Code.NOT_FOUND).stderr
