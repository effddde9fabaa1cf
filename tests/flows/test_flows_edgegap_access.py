"""Rules of access: who may reach the servers of a version, and that they stand before a program can be reached."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from factories import TestInn, opened_inn
from flows.test_flows_edgegap_deployments import version
from innkeeper.contract.edgegap.applications import (
    AppVersionPort,
    AppVersionUpdatePayload,
    AppVersionWhitelistEntryPayload,
)
from innkeeper.contract.edgegap.deployments import Status
from innkeeper.contract.edgegap.deployments_v2 import DeploymentCreate, IpUser, UserAddress
from innkeeper.contract.edgegap.words import DeploymentStatus, Protocol
from innkeeper.engines.fake import FakeEngine
from innkeeper.engines.ports import PortTable
from innkeeper.hosting.access import MOST
from innkeeper.hosting.hosts import Host
from innkeeper.sdk import AsyncEdgegap, CallError

ADA, BEN = "192.0.2.0/24", "2001:db8::7/128"


def entry(cidr: str, **more: Any) -> AppVersionWhitelistEntryPayload:
    return AppVersionWhitelistEntryPayload(cidr=cidr, **more)


async def guarded(inn: TestInn, **more: Any) -> AsyncEdgegap:
    """A version whose deployments are guarded, with ADA listed."""
    client = inn.edgegap()
    await version(inn, client, whitelisting_active=True, **more)
    await client.applications.create_whitelist_entry(entry(ADA, label="office"), "arena", "v1")
    return client


def asked(name: str) -> DeploymentCreate:
    player = IpUser(user_data=UserAddress(ip_address="192.0.2.7"))
    return DeploymentCreate(application="arena", version=name, users=[player])


async def deployed(inn: TestInn, client: AsyncEdgegap, name: str = "v1") -> str:
    made = await client.deployments_v2.create_deployment(asked(name))
    await inn.settle()
    return made.request_id


async def status(client: AsyncEdgegap, request_id: str) -> Status:
    return await client.deployments.get_deployment_status(request_id)


async def ports(client: AsyncEdgegap, request_id: str) -> set[int]:
    told = (await status(client, request_id)).ports
    assert told
    return {port.external for port in told.values()}


def started(inn: TestInn, request_id: str) -> bool:
    return any(server_id.endswith(request_id) for server_id in inn.engine.launches)


# -- the rules themselves --------------------------------------------------------------------------------------------


async def test_rules_are_kept_and_told(inn: TestInn) -> None:
    client = await guarded(inn)
    calls = client.applications
    made = await calls.create_whitelist_entry(entry("1.2.3.4/16", is_active=False), "arena", "v1")
    assert made.success
    assert made.whitelist_entry
    rules = (await calls.list_whitelist_entries("arena", "v1")).whitelist_entries
    assert [(rule.cidr, rule.label, rule.is_active) for rule in rules] == [
        (ADA, "office", True), ("1.2.3.4/16", made.whitelist_entry.label, False),
    ]  # fmt: skip
    assert await calls.get_whitelist_entry("arena", "v1", rules[1].id) == rules[1] == made.whitelist_entry
    gone = await calls.delete_whitelist_entry("arena", "v1", rules[0].id)
    assert (gone.success, gone.whitelist_entry) == (True, rules[0])
    assert (await calls.list_whitelist_entries("arena", "v1")).whitelist_entries == rules[1:]
    for call in (calls.get_whitelist_entry, calls.delete_whitelist_entry):
        with pytest.raises(CallError) as refused:
            await call("arena", "v1", rules[0].id)
        assert refused.value.status == 404


@pytest.mark.parametrize("cidr", ["everybody", "", "192.0.2.0/33", "192.0.2.256", "::ffff:192.0.2.1/128"])
async def test_what_are_no_addresses_is_refused(small_inn: TestInn, cidr: str) -> None:
    client = await guarded(small_inn)
    with pytest.raises(CallError) as refused:
        await client.applications.create_whitelist_entry(entry(cidr), "arena", "v1")
    assert refused.value.status == 400
    assert "cidr: write" in str(refused.value)


async def test_rules_of_others_do_not_exist(inn: TestInn) -> None:
    client = await guarded(inn)
    [rule] = (await client.applications.list_whitelist_entries("arena", "v1")).whitelist_entries
    await version(inn, client, name="v2")
    stranger = inn.edgegap(await inn.another_org()).applications
    theirs = client.applications
    for call in (
        stranger.create_whitelist_entry(entry(BEN), "arena", "v1"),
        stranger.list_whitelist_entries("arena", "v1"),
        stranger.get_whitelist_entry("arena", "v1", rule.id),
        stranger.delete_whitelist_entry("arena", "v1", rule.id),
        theirs.get_whitelist_entry("arena", "v2", rule.id),  # nor those of another version
        theirs.delete_whitelist_entry("arena", "v2", rule.id),
        theirs.list_whitelist_entries("arena", "v9"),
        theirs.create_whitelist_entry(entry(BEN), "nothing", "v1"),
    ):
        with pytest.raises(CallError) as refused:
            await call
        assert refused.value.status == 404
    assert (await client.applications.list_whitelist_entries("arena", "v1")).whitelist_entries == [rule]


async def test_there_are_no_more_rules_than_can_be_held(small_inn: TestInn) -> None:
    client = await guarded(small_inn)
    access = small_inn.inn.wings.access
    for number in range(MOST - 1):
        await access.add(small_inn.inn.founded.org_id, "arena", "v1", f"10.0.{number >> 8}.{number & 255}")
    with pytest.raises(CallError, match=f"v1 has {MOST} rules of access, which is the most") as refused:
        await client.applications.create_whitelist_entry(entry(BEN), "arena", "v1")
    assert refused.value.status in (400, 409, 422, 429)


# -- that they stand -------------------------------------------------------------------------------------------------


async def test_rules_stand_before_the_program_starts_and_until_it_has_ended(inn: TestInn) -> None:
    inn.behave(stop_takes=5.0)
    inn.firewall.away = "the kernel is busy"
    client = await guarded(inn)
    request_id = await deployed(inn, client)
    assert not started(inn, request_id)
    told = await status(client, request_id)
    assert (told.current_status, told.running) == (DeploymentStatus.SCANNING, False)
    inn.firewall.away = ""
    await inn.advance(6)
    told = await status(client, request_id)
    assert (told.current_status, told.whitelisting_active) == (DeploymentStatus.READY, True)
    mine = await ports(client, request_id)
    assert inn.firewall.open_to == {port: [ADA] for port in mine}
    await client.deployments.stop_deployment(request_id)
    await inn.settle()
    assert inn.firewall.open_to == {port: [ADA] for port in mine}  # it says good-bye to those who are listed
    await inn.advance(6)
    assert (await status(client, request_id)).current_status is DeploymentStatus.TERMINATED
    assert inn.firewall.open_to == {}


async def test_who_waits_in_vain_is_told_why(inn: TestInn) -> None:
    inn.firewall.away = "the kernel is busy"
    client = await guarded(inn)
    request_id = await deployed(inn, client)
    await inn.advance(101)
    told = await status(client, request_id)
    assert told.current_status is DeploymentStatus.ERROR
    assert "its rules of access do not stand yet: the kernel is busy" in (told.error_detail or "")
    assert not started(inn, request_id)


async def test_a_list_is_read_live(inn: TestInn) -> None:
    client = await guarded(inn)
    calls = client.applications
    [number] = await ports(client, await deployed(inn, client))
    assert inn.firewall.open_to == {number: [ADA]}
    made = await calls.create_whitelist_entry(entry(BEN), "arena", "v1")
    await inn.settle()
    assert inn.firewall.open_to == {number: [ADA, BEN]}
    await calls.create_whitelist_entry(entry("198.51.100.0/24", is_active=False), "arena", "v1")
    await inn.settle()
    assert inn.firewall.open_to == {number: [ADA, BEN]}
    assert made.whitelist_entry
    for rule in (await calls.list_whitelist_entries("arena", "v1")).whitelist_entries:
        await calls.delete_whitelist_entry("arena", "v1", rule.id)
    await inn.settle()
    assert inn.firewall.open_to == {number: []}  # nobody


async def test_a_server_keeps_to_what_it_was_started_by(inn: TestInn) -> None:
    """Whether it is guarded is said when it is asked for; a version that changes does not open its door, nor does one
    that is deleted."""
    client = await guarded(inn)
    [first] = await ports(client, await deployed(inn, client))
    await client.applications.update_app_version(AppVersionUpdatePayload(whitelisting_active=False), "arena", "v1")
    request_id = await deployed(inn, client)
    assert (await status(client, request_id)).running
    assert inn.firewall.open_to == {first: [ADA]}
    await client.applications.delete_app_version("arena", "v1")
    await inn.advance(20)
    assert inn.firewall.open_to == {first: [ADA]}


async def test_others_are_not_concerned(inn: TestInn) -> None:
    """Servers that are not guarded cost the firewall nothing and do not wait for it."""
    inn.firewall.lacks = "nftables is not there (install nft)"
    client = inn.edgegap()
    await version(inn, client)
    await client.applications.create_whitelist_entry(entry(ADA), "arena", "v1")
    assert (await status(client, await deployed(inn, client))).running
    await inn.advance(61)
    assert (inn.firewall.asked, inn.firewall.tried) == (0, 0)


async def test_every_port_is_guarded_and_what_is_behind_tls(inn: TestInn) -> None:
    client = await guarded(
        inn,
        ports=[
            AppVersionPort(port=7777, protocol=Protocol.UDP, name="game"),
            AppVersionPort(port=7778, protocol=Protocol.TCP_UDP, name="voice"),
            AppVersionPort(port=7779, protocol=Protocol.WS, name="web", tls_upgrade=True),
        ],
    )
    dialled = await ports(client, await deployed(inn, client))
    assert set(inn.firewall.walls.open_to) == dialled
    assert len(dialled) == 3
    assert dialled | inn.firewall.walls.inner == inn.host.ports.in_use
    assert len(inn.firewall.walls.inner) == 1


async def test_over_a_restart_of_the_house_nothing_is_open(inn: TestInn) -> None:
    client = await guarded(inn)
    [number] = await ports(client, await deployed(inn, client))
    written = inn.firewall.written
    await inn.restart()
    await inn.settle()
    assert inn.firewall.open_to == {number: [ADA]}
    assert inn.firewall.written == written  # it stood all the time
    inn.firewall.walls = type(inn.firewall.walls)()  # the machine was restarted, say, or a house crashed in between
    await inn.restart()
    await inn.settle()
    assert inn.firewall.open_to == {number: [ADA]}


async def test_what_a_house_left_that_crashed_goes(inn: TestInn) -> None:
    client = await guarded(inn)
    request_id = await deployed(inn, client)
    left = inn.firewall.walls
    await client.deployments.stop_deployment(request_id)
    await inn.settle()
    inn.firewall.walls = left
    await inn.restart()
    await inn.settle()
    assert inn.firewall.open_to == {}


async def test_rules_that_others_took_away_stand_again(inn: TestInn) -> None:
    client = await guarded(inn)
    [number] = await ports(client, await deployed(inn, client))
    inn.firewall.walls = type(inn.firewall.walls)()
    await inn.advance(5)
    await inn.advance(6)
    assert inn.firewall.open_to == {number: [ADA]}


async def test_a_port_that_comes_back_is_everybodys_next(inn: TestInn) -> None:
    inn.settings = type(inn.settings)(
        data=inn.settings.data, database=inn.settings.database, public_url="http://inn", port_quarantine=0.0
    )
    inn.ports = (30_000, 30_000)
    await inn.restart()
    client = await guarded(inn)
    await version(inn, client, name="open")
    first = await deployed(inn, client)
    assert inn.firewall.open_to == {30_000: [ADA]}
    await client.deployments.stop_deployment(first)
    await inn.settle()
    second = await deployed(inn, client, "open")
    assert await ports(client, second) == {30_000}
    assert inn.firewall.open_to == {}


# -- where they cannot be held ---------------------------------------------------------------------------------------


async def refusal(client: AsyncEdgegap, name: str = "v1") -> str:
    with pytest.raises(CallError) as refused:
        await client.deployments_v2.create_deployment(asked(name))
    assert refused.value.status == 422
    return str(refused.value)


@pytest.fixture
async def bare_inn(house_url: str, tmp_path: Path) -> AsyncIterator[TestInn]:
    """An inn on a machine without nftables, with another machine beside it."""
    inn = TestInn(tmp_path / "data", house_url)
    inn.firewall.lacks = "nftables is not there (install nft)"
    engine = FakeEngine(inn.clock)
    table = PortTable(40_000, 40_099, 60, engine.port_is_free)
    inn.further_hosts.append(Host("other", engine, table, "203.0.113.9"))
    try:
        await inn.start()
        yield inn
    finally:
        await inn.stop()


async def test_no_guarded_server_goes_where_everybody_could_reach_it(bare_inn: TestInn) -> None:
    client = await guarded(bare_inn)
    why = await refusal(client)
    assert "its rules of access cannot be held at" in why
    assert "on host fake (nftables is not there (install nft))" in why
    assert "on host other (it is another machine than Innkeeper's)" in why
    hosts = {host.name: host.notes for host in (await bare_inn.client().house.hosts_v1.get_hosts()).hosts}
    assert hosts["fake"][-1:] == [
        "servers with rules of access are not started there: nftables is not there (install nft)"
    ]
    assert not any("rules of access" in note for note in hosts["other"])  # which is no news
    bare_inn.firewall.lacks = ""
    await bare_inn.restart()
    assert (await status(client, await deployed(bare_inn, client))).running
    assert bare_inn.firewall.walls.open_to.keys() == bare_inn.host.ports.in_use


async def test_a_kernel_that_refuses_is_found_out_before_anything_is_placed(inn: TestInn) -> None:
    inn.firewall.kernel_lacks = "this machine's kernel refuses the rules: Operation not supported"
    client = await guarded(inn)
    request_id = await deployed(inn, client)
    assert not started(inn, request_id)
    assert inn.host.ports.in_use == frozenset()
    assert inn.firewall.tried == 1
    assert "Operation not supported" in await refusal(client)
    inn.firewall.kernel_lacks = ""
    await inn.advance(61)
    assert (await status(client, request_id)).running  # which had waited
    assert inn.firewall.tried == 2
    await deployed(inn, client)
    assert inn.firewall.tried == 2


async def test_the_operator_can_do_without(inn: TestInn) -> None:
    """Then no guarded server is started; those that run stay guarded to their end."""
    client = await guarded(inn)
    request_id = await deployed(inn, client)
    held = inn.firewall.open_to
    settings = inn.settings
    inn.settings = type(settings)(
        data=settings.data, database=settings.database, public_url="http://inn", firewall="none"
    )
    await inn.restart()
    await inn.settle()
    assert inn.firewall.open_to == held != {}
    assert 'the setting firewall is "none"' in await refusal(client)
    await client.deployments.stop_deployment(request_id)
    await inn.settle()
    assert inn.firewall.open_to == {}


async def test_a_program_that_nobody_can_ask_for_stays_guarded(house_url: str, tmp_path: Path) -> None:
    """Its engine is silent: on record it is over after a while, and it may run all the same."""
    async with opened_inn(tmp_path / "data", house_url) as inn:
        client = await guarded(inn)
        request_id = await deployed(inn, client)
        held = inn.firewall.open_to
        inn.engine.cut_off = True
        await inn.advance(1)
        await inn.advance(11)
        assert not (await status(client, request_id)).running
        assert inn.firewall.open_to == held != {}
        await inn.restart()
        await inn.advance(11)
        assert inn.firewall.open_to == held
        inn.engine.cut_off = False
        await inn.advance(11)
        await inn.advance(11)
        assert inn.firewall.open_to == {}
