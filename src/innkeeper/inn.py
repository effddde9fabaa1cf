"""Wires the house once: settings in, an inn out, with its database, wings, keepers and the ASGI application.

Called by ``serving.py``, ``cli`` and by tests, which hand in a clock, chance and hosts of their own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from innkeeper import belonging
from innkeeper.accounting import billing_of, rates_of, verifying_of
from innkeeper.accounts.audit import Audit
from innkeeper.accounts.callers import Callers
from innkeeper.accounts.fetching import fetch
from innkeeper.accounts.founding import Founded, Founding
from innkeeper.accounts.google import GoogleKeys
from innkeeper.accounts.invites import Invites
from innkeeper.accounts.organisations import Organisations
from innkeeper.accounts.players import Players
from innkeeper.accounts.tokens import Tokens
from innkeeper.accounts.vouching import Vouching
from innkeeper.api import edgegap as _edgegap  # registers its handlers
from innkeeper.api import hathora as _hathora
from innkeeper.api import house as _house
from innkeeper.api.app import App
from innkeeper.api.edgegap.callbacks import compose as compose_callback
from innkeeper.api.linked_pages import LinkedPages
from innkeeper.api.pages import Pages
from innkeeper.api.tally import Tally
from innkeeper.api.visits import Wings
from innkeeper.billing.links import BillingLinks
from innkeeper.contract.edgegap import EDGEGAP
from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.house import HOUSE
from innkeeper.db.connect import connect
from innkeeper.db.database import Database
from innkeeper.db.house import name_of_house
from innkeeper.db.lease import Lease
from innkeeper.engines.firewall.nftables import Nftables
from innkeeper.engines.logfiles import LeftLogs
from innkeeper.engines.tls.identity import Certificates
from innkeeper.engines.tls.link import Terminator as TerminatorLine
from innkeeper.folders import lock_folder, make_folder
from innkeeper.hosting.access import Access
from innkeeper.hosting.apps import Apps
from innkeeper.hosting.archives.unpacking import Limits
from innkeeper.hosting.archives.uploads import UploadStore
from innkeeper.hosting.builds import Builds
from innkeeper.hosting.choosing import Chooser
from innkeeper.hosting.comparing import Comparisons
from innkeeper.hosting.depot import Depot, depot_of
from innkeeper.hosting.figures import HouseFigures
from innkeeper.hosting.fleets import Fleets
from innkeeper.hosting.hostbook import HostBook, Make, hosts_at_start
from innkeeper.hosting.hosts import Host, Spaces
from innkeeper.hosting.images import Images
from innkeeper.hosting.intake import Intake
from innkeeper.hosting.keeper import HostingKeeper, Rules
from innkeeper.hosting.labels import Labels
from innkeeper.hosting.launching import Launches
from innkeeper.hosting.links import UploadLinks
from innkeeper.hosting.logs import Logs
from innkeeper.hosting.making import ImageMaker
from innkeeper.hosting.metrics import Metrics
from innkeeper.hosting.passes.fleets import FleetWatch
from innkeeper.hosting.passes.guarding import Firewall, Guarding
from innkeeper.hosting.passes.metering import Metering, Sweeping
from innkeeper.hosting.queries import hosts as host_queries
from innkeeper.hosting.releases import Releases
from innkeeper.hosting.rooms import Rooms
from innkeeper.hosting.servers import Servers
from innkeeper.hosting.shown import ShownHosts
from innkeeper.hosting.tls import Terminator, TlsRoutes
from innkeeper.hosting.usage import UsageAccount
from innkeeper.hosting.writing import Writing
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import Clock, SystemClock
from innkeeper.kit.errors import Unavailable
from innkeeper.kit.ids import Chance
from innkeeper.kit.keeper import KeeperLoop
from innkeeper.kit.secrets import Box
from innkeeper.machines import Machines, disks_of, hosts_folder
from innkeeper.matchmaking.lobbies import Lobbies
from innkeeper.notices.desk import Notices, notices_of
from innkeeper.ordering import environments, image_tags_of, ordering_of
from innkeeper.places import atlas_of, beacons_of, geoip_of, warn_of_nowhere
from innkeeper.playing import Play, play_of
from innkeeper.settings import Settings

log = logging.getLogger(__name__)
assert _edgegap
assert _hathora
assert _house

MIB = 1 << 20
#: Servers run as users of their own: they pass through the folders above their build, and list none.
PASSABLE = 0o711
#: How often what is outdated is forgotten, in seconds.
_SWEEP_EVERY = 60.0


@dataclass(slots=True)
class Inn:
    """A running house."""

    settings: Settings
    app: App
    wings: Wings
    db: Database
    keeper: HostingKeeper
    bell: Bell
    founded: Founded
    founding: Founding
    images: Images
    notices: Notices
    figures: HouseFigures
    depot: Depot
    play: Play
    lease: Lease | None = None  #: on a database that others can reach too


@asynccontextmanager
async def open_inn(
    settings: Settings,
    *,
    clock: Clock | None = None,
    chance: Chance | None = None,
    hosts: Sequence[Host] | None = None,
    make: Make | None = None,
    terminator: Terminator | None = None,
    firewall: Firewall | None = None,
    database: Database | None = None,
    keep: bool = True,
) -> AsyncGenerator[Inn, None]:
    """Open the house and close it again. Servers run on after it is closed.

    ``hosts`` are those of this machine and ``make`` makes those that are added, where a test pretends them.
    ``database`` is an open one to use in place of the settings'; it is closed with the house. ``keep`` False runs no
    loops: a test makes the passes itself.
    """
    clock, chance = clock or SystemClock(), chance or Chance()
    async with AsyncExitStack() as stack:
        folder = settings.folder
        await asyncio.to_thread(make_folder, folder, PASSABLE)
        stack.callback((await asyncio.to_thread(lock_folder, folder)).close)
        if database is None:
            await belonging.check(settings, None)  # before a file is made for what should have been named
        db = await connect(settings.database_url, clock=clock) if database is None else database
        stack.push_async_callback(db.close)
        await belonging.check(settings, db)
        lease = await take_lease(settings, db, clock, chance)
        if lease is not None:
            stack.push_async_callback(give_back, lease)
        key = await belonging.key_of(settings, db)
        await belonging.note(settings, await name_of_house(db, chance))
        inn = await _wire(settings, db, key, clock, chance, hosts, make, terminator, firewall)
        inn.lease = lease
        stack.push_async_callback(inn.notices.close)
        await inn.depot.open()
        stack.push_async_callback(inn.depot.close)
        stack.push_async_callback(inn.keeper.close)
        await inn.keeper.open()
        stack.push_async_callback(inn.images.close)
        await inn.wings.builds.open()  # after the hosts: builds that were interrupted run again on them
        stack.push_async_callback(inn.wings.builds.close)
        if keep:
            inn.keeper.start()
            loops = _slow_loops(inn, clock, chance)
            if lease is not None:
                loops.append(KeeperLoop("lease", lease.renew, Bell(), clock, chance))
            for loop in loops:
                task = asyncio.create_task(loop.run())
                stack.push_async_callback(_end, task)
        yield inn


async def take_lease(settings: Settings, db: Database, clock: Clock, chance: Chance) -> Lease | None:
    """The right to keep the database. One in the data folder is ours by the folder's lock."""
    if not settings.database:
        return None
    folder = settings.folder.absolute()
    name = await asyncio.to_thread(_name_of_house, folder, chance)
    host = socket.gethostname()
    lease = Lease(db, clock, f"{name}@{host}", f"on {host} with the data folder {folder}, process {os.getpid()}")
    await lease.take()
    return lease


async def give_back(lease: Lease) -> None:
    try:
        await lease.give_back()
    except Unavailable as error:
        log.warning("the lease of the database could not be given back, and ends by itself: %s", error)


def _name_of_house(folder: Path, chance: Chance) -> str:
    """What this data folder calls itself, made at its first start."""
    path = folder / "house"
    try:
        return path.read_text()
    except FileNotFoundError:
        beside = folder / "house.new"
        beside.write_text(chance.hex(16))
        beside.replace(path)
        return path.read_text()


async def _wire(
    settings: Settings,
    db: Database,
    key: bytes,
    clock: Clock,
    chance: Chance,
    given: Sequence[Host] | None,
    make: Make | None,
    terminator: Terminator | None,
    firewall: Firewall | None,
) -> Inn:
    bell, box, folder = Bell(), Box(key), settings.folder
    house = await name_of_house(db, chance)
    machines = Machines(settings, clock, house)
    make = make or machines.containers
    here = await machines.here(await db.read(host_queries.counts)) if given is None else given
    hosts = machines.known = await hosts_at_start(db, clock, here, settings.hosts, make)
    atlas, geoip = atlas_of(settings), geoip_of(settings, clock)
    warn_of_nowhere(atlas, hosts)
    rules = rules_of(settings)
    callers = Callers(db, clock)
    founding = Founding(db, clock, chance, callers, folder)
    founded = await founding.found(settings.local_url, name=settings.organisation, owner=settings.owner_email)
    apps = Apps(db, clock, chance, box, bell)
    releases = Releases(db, clock, chance, box, bell)
    builds_folder = folder / "builds"
    for kept, mode in ((builds_folder, PASSABLE), (folder / "uploads", 0o700)):
        make_folder(kept, mode)
        kept.chmod(mode)
    uploads = UploadStore(folder / "uploads", most_bytes=settings.build_megabytes * MIB)
    limits = Limits(unpacked_bytes=settings.unpacked_megabytes * MIB)
    images = Images(db, clock, hosts, builds_folder, house=house, most_bytes=limits.unpacked_bytes)
    builds = Builds(db, clock, chance, uploads, builds_folder, limits, ImageMaker(images, box, clock))
    spaces = Spaces(hosts, clock)
    rooms = Rooms(db, clock, chance, bell, spaces, placing_seconds=rules.placing)
    chooser = Chooser(db, atlas, hosts, spaces)

    async def open_room(app_id: str, location: str, *, room_id: str, config: str | None) -> None:
        await rooms.open(app_id, None, location, room_id=room_id, config=config)

    beacons = beacons_of(settings, clock, hosts)
    told = environments(settings, atlas, key, beacons)
    launches = Launches(apps, releases, builds_folder, told, settings.log_megabytes * MIB)
    tls = TlsRoutes(
        db, clock, chance, bell, hosts, terminator or TerminatorLine(folder, bell.ring),
        Certificates(folder, settings.server_address, settings.server_identity), address=settings.server_address,
    )  # fmt: skip
    guards = settings.firewall != "none"
    guarding = Guarding(db, clock, chance, bell, hosts, firewall or Nftables(house), wanted=guards)

    async def compose(kind: str, subject: str) -> bytes | None:
        return await compose_callback(wings, kind, subject)

    notices = notices_of(settings, db, clock, chance, box, founded.org_id, compose)
    logs = Logs(db, clock, hosts, left_logs(settings))
    depot = depot_of(settings, db, clock, chance, box, logs, founded.org_id)
    keeper = HostingKeeper(db, clock, chance, bell, hosts, launches, rules, images.bring, tls, guarding, depot.pulls)
    figures = HouseFigures(db, clock, hosts, keeper, Writing(db, clock, disks_of(settings)))
    ordering = ordering_of(db, clock, chance, box, bell, chooser, keeper, rules, key)
    labels = Labels(db, clock, chance, box, bell, releases, builds, images, depot.check_image)
    play = play_of(settings, db, clock, chance, box, ordering.orders, labels, apps, geoip, atlas)
    usage = UsageAccount(db, clock)
    wings = Wings(
        settings=settings,
        clock=clock,
        organisations=Organisations(db, clock, chance),
        callers=callers,
        tokens=Tokens(db, clock, chance, callers),
        vouching=Vouching(db, clock, chance),
        audit=Audit(db, clock, chance),
        invites=Invites(db, clock, chance),
        players=Players(clock, chance, GoogleKeys(fetch, clock, settings.google_keys_url)),
        apps=apps,
        builds=builds,
        intake=Intake(db, uploads),
        links=UploadLinks(key, clock),
        releases=releases,
        labels=labels,
        servers=Servers(
            db, clock, chance, bell, spaces, placing_seconds=rules.placing, stopping_seconds=rules.stopping
        ),
        rooms=rooms,
        logs=logs,
        metrics=Metrics(db),
        lobbies=Lobbies(db, clock, chance, open_room, rooms.standing),
        components=play.components,
        setups=play.setups,
        tickets=play.tickets,
        usage=usage,
        billing=billing_of(settings, db, clock, chance, usage),
        billing_links=BillingLinks(key, clock),
        verifying=verifying_of(settings, db, clock, key),
        rates=rates_of(settings, clock),
        host_book=HostBook(db, clock, hosts, keeper, make),
        shown_hosts=ShownHosts(db, hosts),
        fleets=Fleets(db, clock, chance),
        storages=depot.storages,
        image_tags=image_tags_of(settings, founded.org_id),
        access=Access(db, clock, chance, guarding.look_soon),
        webhooks=notices.webhooks,
        events=notices.events,
        callbacks=notices.callbacks,
        operator=founded.org_id,
        ping_address=(settings.server_address, settings.port),
        atlas=atlas,
        chooser=chooser,
        comparisons=Comparisons(db, clock, chance, atlas),
        geoip=geoip,
        beacons=beacons,
        orders=ordering.orders,
        bookings=ordering.bookings,
        insiders=ordering.insiders,
        reserves=ordering.reserves,
        health=figures.health,
    )

    async def count() -> None:
        await figures.count()
        await notices.count()

    tally = Tally()
    apis, linked = [HATHORA, EDGEGAP, HOUSE], LinkedPages(wings)
    app = App(apis, wings, Pages(apis, figures.health, count, [tally, figures, *notices.keepers], linked), tally)
    return Inn(settings, app, wings, db, keeper, bell, founded, founding, images, notices, figures, depot, play)


def left_logs(settings: Settings) -> LeftLogs:
    """The output of servers whose hosts were removed."""
    return LeftLogs(hosts_folder(settings))


def rules_of(settings: Settings) -> Rules:
    """The hosting wing's rules."""
    return Rules(
        lost=settings.lost_seconds,
        placing=settings.placing_seconds,
        ready=settings.ready_seconds,
        idle=settings.idle_seconds,
        grace=settings.grace_seconds,
        draining=settings.draining_seconds,
        keep=settings.keep_hours * 3600,
        measure=settings.measure_seconds,
    )


def _slow_loops(inn: Inn, clock: Clock, chance: Chance) -> list[KeeperLoop]:
    rules = rules_of(inn.settings)
    hosts = inn.keeper.hosts
    metering = Metering(inn.db, clock, hosts, every_seconds=rules.measure)
    sweeping = Sweeping(
        inn.db, clock, hosts, inn.wings.builds, left_logs(inn.settings), keep_seconds=rules.keep,
        records_seconds=rules.records, every_seconds=_SWEEP_EVERY,
    )  # fmt: skip

    async def sweep_lobbies() -> float:
        await inn.wings.lobbies.sweep(rules.keep)
        return _SWEEP_EVERY

    verifying = inn.wings.verifying
    passes: list[tuple[str, Any]] = [
        ("writing", inn.figures.writing.keep),
        ("metering", metering.keep),
        ("counting", inn.wings.usage.count),
        ("billing", inn.wings.billing.keep),
        ("sweeping", sweeping.keep),
        ("lobbies", sweep_lobbies),
        ("fleets", FleetWatch(inn.db, clock, hosts).keep),
    ]
    loops = [KeeperLoop(name, keep, Bell(), clock, chance) for name, keep in passes]
    notices, calling = inn.notices.keepers
    loops.append(KeeperLoop("notices", notices.keep, notices.bell, clock, chance))
    loops.append(KeeperLoop("saving", inn.depot.saving.keep, inn.depot.saving.bell, clock, chance))
    loops.append(KeeperLoop("callbacks", calling.keep, calling.bell, clock, chance))
    play = inn.play
    loops.append(KeeperLoop("matches", play.matches.keep, play.matches.bell, clock, chance))
    loops.append(KeeperLoop("components", play.programs.keep, play.programs.bell, clock, chance))
    return [*loops, KeeperLoop("mail", verifying.keep, verifying.bell, clock, chance)]


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
