"""Buckets of an organisation: named, used for output of servers that have ended, and for files that servers get."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from arenas import version
from factories import TestInn
from innkeeper.contract.edgegap.deployments import ContainerLogStorageModel, DeployModel
from innkeeper.contract.edgegap.endpoint_storage import (
    EndpointStoragePatchPayload,
    EndpointStoragePostPayload,
    OutputFormat,
    PullProfilePatchPayload,
    PullProfilePostPayload,
    SourceType,
)
from innkeeper.contract.edgegap.words import DeploymentStatus
from innkeeper.db.database import Many, Statement, Steps
from innkeeper.engines.base import Launch
from innkeeper.engines.fake import Behaviour
from innkeeper.hosting.queries.columns import SERVER
from innkeeper.hosting.queries.saved import Saved
from innkeeper.hosting.storing.model import SaveState
from innkeeper.sdk import AsyncEdgegap, CallError
from objectstores import ObjectStore, object_store

OUTPUT = b"hello\nbye\n"
#: V1's own way to deploy can say where output is kept, and its successor cannot.
pytestmark = pytest.mark.filterwarnings("ignore:deploy is deprecated:DeprecationWarning")


@pytest.fixture(scope="module")
def shared_store() -> Iterator[ObjectStore]:
    with object_store() as opened:
        yield opened


@pytest.fixture
def store(shared_store: ObjectStore) -> ObjectStore:
    """The store with a bucket of the test's own."""
    return ObjectStore(int(shared_store.endpoint.rpartition(":")[2]))


def bucket_of(store: ObjectStore, name: str = "logs", **more: Any) -> EndpointStoragePostPayload:
    return EndpointStoragePostPayload(
        name=name, access_key_id=store.key_id, endpoint=store.endpoint, bucket=store.bucket,
        secret_access_key=store.secret, **more,
    )  # fmt: skip


async def deployed(inn: TestInn, client: AsyncEdgegap, **more: Any) -> str:
    """A deployment that has printed something and runs; its request id."""
    made = await client.deployments.create_deployment(
        DeployModel(app_name="arena", version_name="v1", ip_list=["192.0.2.7"], **more)
    )
    await inn.settle()
    return made.request_id


async def stopped(inn: TestInn, client: AsyncEdgegap, request_id: str, **more: Any) -> None:
    await client.deployments.stop_deployment(request_id, **more)
    await inn.settle()


async def save(inn: TestInn) -> None:
    """One look at what is to be kept, and what comes of it."""
    await inn.inn.depot.saving.keep()
    await inn.inn.depot.saving.rest()


async def saved(inn: TestInn, request_id: str) -> Saved | None:
    (server_id,) = [one for one in inn.engine.launches if one.endswith(request_id)]
    return await inn.inn.wings.storages.saved(inn.inn.founded.org_id, server_id)


async def refused(call: Any) -> tuple[int, str]:
    with pytest.raises(CallError) as caught:
        await call
    return caught.value.status, str(caught.value)


async def test_a_storage_is_named_read_changed_and_deleted(inn: TestInn, store: ObjectStore) -> None:
    storages = inn.edgegap().endpoint_storage
    made = await storages.create_endpoint(bucket_of(store))
    assert (made.name, made.bucket, made.output_format) == ("logs", store.bucket, OutputFormat.TEXT)
    assert made == await storages.get_endpoint("logs")
    answer = await storages.get_endpoint.raw("logs")
    assert store.secret.encode() not in answer.body
    assert (await refused(storages.create_endpoint(bucket_of(store))))[0] == 400
    await storages.create_endpoint(bucket_of(store, "more"))
    listed = await storages.list_endpoints(limit=1, page=2)
    assert [one.name for one in listed.endpoints or []] == ["more"]
    assert listed.total_count == 2
    status, text = await refused(storages.update_endpoint(EndpointStoragePatchPayload(name="logs"), "more"))
    assert (status, "logs already" in text) == (400, True)
    changed = await storages.update_endpoint(
        EndpointStoragePatchPayload(name="other", output_format=OutputFormat.NDJSON, endpoint=None), "more"
    )
    assert (changed.name, changed.endpoint, changed.output_format) == ("other", store.endpoint, OutputFormat.NDJSON)
    await storages.delete_endpoint("other")
    assert (await refused(storages.get_endpoint("other")))[0] == 404
    rival = inn.edgegap(await inn.another_org())
    assert (await refused(rival.endpoint_storage.get_endpoint("logs")))[0] == 404
    assert (await refused(rival.endpoint_storage.delete_endpoint("logs")))[0] == 404


async def test_only_the_operators_own_buckets_may_be_at_private_addresses(
    small_inn: TestInn, store: ObjectStore
) -> None:
    rival = small_inn.edgegap(await small_inn.another_org())
    status, text = await refused(rival.endpoint_storage.create_endpoint(bucket_of(store)))
    assert (status, "not a public address" in text) == (400, True)


async def test_output_is_kept_when_a_deployment_has_ended(inn: TestInn, store: ObjectStore) -> None:
    client = inn.edgegap()
    await client.endpoint_storage.create_endpoint(bucket_of(store))
    await version(inn, client, endpoint_storage="logs")
    inn.behave(output=OUTPUT)
    request_id = await deployed(inn, client)
    await save(inn)
    assert store.keys() == []
    assert (await client.deployments.get_container_logs(request_id)).logs_link is None
    await stopped(inn, client, request_id)
    await inn.inn.depot.saving.keep()
    await inn.restart()  # in the middle of keeping it: what is owed is on record
    await save(inn)
    key = f"arena/v1/{request_id}/container.log"
    assert store.get(key) == OUTPUT
    found = await saved(inn, request_id)
    assert found is not None
    assert (found.state, found.key, found.size, found.attempts) == (SaveState.KEPT, key, len(OUTPUT), 1)
    link = (await client.deployments.get_container_logs(request_id)).logs_link
    assert isinstance(link, str)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    assert await asyncio.to_thread(lambda: opener.open(link).read()) == OUTPUT
    await save(inn)
    assert store.keys() == [key]


@pytest.mark.parametrize(
    ("asked", "said", "kept"),
    [
        (None, None, True),
        (ContainerLogStorageModel(enabled=False), None, False),
        (ContainerLogStorageModel(enabled=True, endpoint_storage="unknown"), None, False),
        (None, "false", False),
        (None, "true", True),
        (None, "unknown", False),
        (ContainerLogStorageModel(enabled=False), "logs", True),
    ],
)
async def test_deploy_and_stop_may_say_otherwise(
    small_inn: TestInn, store: ObjectStore, asked: ContainerLogStorageModel | None, said: str | None, kept: bool
) -> None:
    client = small_inn.edgegap()
    await client.endpoint_storage.create_endpoint(bucket_of(store, output_format=OutputFormat.NDJSON))
    await version(small_inn, client, endpoint_storage="logs")
    small_inn.behave(output=OUTPUT)
    request_id = await deployed(small_inn, client, **({} if asked is None else {"container_log_storage": asked}))
    await stopped(small_inn, client, request_id, **({} if said is None else {"container_log_storage": said}))
    await save(small_inn)
    assert store.keys() == ([f"arena/v1/{request_id}/container.ndjson"] if kept else [])
    if kept:
        lines = [json.loads(line) for line in store.get(store.keys()[0]).splitlines()]
        assert lines == [{"message": "hello"}, {"message": "bye"}]


async def test_who_printed_nothing_has_nothing_kept(small_inn: TestInn, store: ObjectStore) -> None:
    client = small_inn.edgegap()
    await client.endpoint_storage.create_endpoint(bucket_of(store))
    await version(small_inn, client, endpoint_storage="logs")
    request_id = await deployed(small_inn, client)
    await stopped(small_inn, client, request_id)
    await save(small_inn)
    found = await saved(small_inn, request_id)
    assert found is not None
    assert found.state is SaveState.NOTHING
    assert store.keys() == []


async def test_a_bucket_that_refuses_is_asked_again_for_a_day(inn: TestInn, store: ObjectStore) -> None:
    client = inn.edgegap()
    await client.endpoint_storage.create_endpoint(bucket_of(store))
    await version(inn, client, endpoint_storage="logs")
    inn.behave(output=OUTPUT)
    first, second = await deployed(inn, client), await deployed(inn, client)
    await stopped(inn, client, first)
    await stopped(inn, client, second)
    with store.strict():
        await save(inn)
    found = await saved(inn, first)
    assert found is not None
    assert (found.state, found.attempts) == (SaveState.WAITING, 1)
    assert "InvalidAccessKeyId" in (found.error or "")
    await save(inn)  # its time has not come
    assert store.keys() == []
    await inn.advance(16)
    await save(inn)
    assert sorted(store.keys()) == sorted(f"arena/v1/{one}/container.log" for one in (first, second))
    found = await saved(inn, first)
    assert found is not None
    assert (found.state, found.attempts, found.error) == (SaveState.KEPT, 2, None)

    third = await deployed(inn, client)
    await stopped(inn, client, third)
    with store.strict():
        await inn.advance(25 * 3600)
        await save(inn)
    found = await saved(inn, third)
    assert found is not None
    assert (found.state, found.attempts) == (SaveState.GIVEN_UP, 1)


async def test_what_waits_for_a_storage_is_given_up_with_it(inn: TestInn, store: ObjectStore) -> None:
    client = inn.edgegap()
    await client.endpoint_storage.create_endpoint(bucket_of(store))
    await version(inn, client, endpoint_storage="logs")
    inn.behave(output=OUTPUT)
    request_id = await deployed(inn, client)
    await client.endpoint_storage.delete_endpoint("logs")
    await stopped(inn, client, request_id)
    await save(inn)
    found = await saved(inn, request_id)
    assert found is not None
    assert (found.state, found.storage) == (SaveState.GIVEN_UP, None)
    assert store.keys() == []
    await stopped(inn, client, await deployed(inn, client))  # a version that still names it keeps nothing
    await save(inn)
    assert store.keys() == []


async def test_a_storage_that_goes_in_the_very_moment_leaves_nothing_waiting(inn: TestInn, store: ObjectStore) -> None:
    def forgotten() -> Steps[None]:
        yield Statement("delete from storages")  # by one who saw nothing wait for it yet

    client = inn.edgegap()
    await client.endpoint_storage.create_endpoint(bucket_of(store))
    await version(inn, client, endpoint_storage="logs")
    inn.behave(output=OUTPUT)
    request_id = await deployed(inn, client)
    await inn.inn.db.write(forgotten)
    await stopped(inn, client, request_id)
    await save(inn)
    found = await saved(inn, request_id)
    assert found is not None
    assert (found.state, found.error) == (SaveState.GIVEN_UP, "its endpoint storage was deleted")


async def test_much_output_is_kept_in_parts(small_inn: TestInn, store: ObjectStore) -> None:
    client = small_inn.edgegap()
    await client.endpoint_storage.create_endpoint(bucket_of(store))
    await version(small_inn, client, endpoint_storage="logs")
    output = b"".join(b"line %d\n" % number for number in range(1_500_000))  # two parts of eight MiB and one more
    small_inn.behave(output=output)
    request_id = await deployed(small_inn, client)
    await stopped(small_inn, client, request_id)
    await save(small_inn)
    assert store.get(f"arena/v1/{request_id}/container.log") == output


async def test_what_is_kept_is_forgotten_with_its_server(inn: TestInn, store: ObjectStore) -> None:
    client = inn.edgegap()
    await client.endpoint_storage.create_endpoint(bucket_of(store))
    await version(inn, client, endpoint_storage="logs")
    inn.behave(output=OUTPUT)
    request_id = await deployed(inn, client)
    await stopped(inn, client, request_id)
    await save(inn)
    await inn.advance(40 * 24 * 3600)
    for _ in range(2):
        await inn.sweep()
    assert await saved(inn, request_id) is None
    assert len(store.keys()) == 1


# -- pull profiles --------------------------------------------------------------------------------------------------


def profile(store: ObjectStore, name: str = "maps", **more: Any) -> PullProfilePostPayload:
    given = {"source": f"/{store.bucket}/maps", "source_type": SourceType.FOLDER, "destination": "/app/maps"}
    return PullProfilePostPayload(name=name, **{**given, **more})


def laid(inn: TestInn) -> dict[str, bytes]:
    """What the host finds to be laid over the roots of servers that start from now on, by place."""
    found: dict[str, bytes] = {}

    def plan(launch: Launch) -> Behaviour:
        if launch.files is not None:
            files = [each for each in launch.files.rglob("*") if each.is_file()]
            found.update((f"/{each.relative_to(launch.files)}", each.read_bytes()) for each in files)
        return inn.engine.behaviour

    inn.engine.plan = plan
    return found


def left_over(inn: TestInn) -> list[Path]:
    """What is left of what was brought for servers."""
    return list(Path(inn.settings.data, "pulled").rglob("*"))


async def test_profiles_are_kept_changed_linked_and_deleted(inn: TestInn, store: ObjectStore) -> None:
    client = inn.edgegap()
    storages = client.endpoint_storage
    await storages.create_endpoint(bucket_of(store, "files"))
    await version(inn, client)
    assert (await refused(storages.create_pull_profile(profile(store), "unknown")))[0] == 404
    made = await storages.create_pull_profile(profile(store), "files")
    assert made == await storages.get_pull_profile("files", "maps")
    assert (await refused(storages.create_pull_profile(profile(store), "files")))[0] == 400
    status, text = await refused(storages.create_pull_profile(profile(store, "bad", destination="/etc/x"), "files"))
    assert (status, "is protected" in text) == (400, True)
    change = PullProfilePatchPayload(source_type=SourceType.FILE, source=f"/{store.bucket}/maps/")
    assert (await refused(storages.update_pull_profile(change, "files", "maps")))[0] == 400
    changed = await storages.update_pull_profile(PullProfilePatchPayload(name="arenas"), "files", "maps")
    assert (changed.name, changed.source) == ("arenas", made.source)
    listed = await storages.list_pull_profiles("files")
    assert ([one.name for one in listed.pull_profiles or []], listed.total_count) == (["arenas"], 1)
    linked = await storages.link_pull_profile("files", "arenas", "arena", "v1")
    assert (linked.app, linked.app_version, linked.endpoint, linked.pull_profile) == ("arena", "v1", "files", "arenas")
    assert linked == await storages.link_pull_profile("files", "arenas", "arena", "v1")
    assert (await refused(storages.link_pull_profile("files", "arenas", "arena", "v2")))[0] == 404
    await storages.unlink_pull_profile("files", "arenas", "arena", "v1")
    assert (await refused(storages.unlink_pull_profile("files", "arenas", "arena", "v1")))[0] == 404
    await storages.link_pull_profile("files", "arenas", "arena", "v1")
    rival = inn.edgegap(await inn.another_org()).endpoint_storage
    assert (await refused(rival.get_pull_profile("files", "arenas")))[0] == 404
    await storages.delete_pull_profile("files", "arenas")
    assert (await refused(storages.get_pull_profile("files", "arenas")))[0] == 404
    await storages.create_pull_profile(profile(store), "files")
    await storages.link_pull_profile("files", "maps", "arena", "v1")
    await storages.delete_endpoint("files")
    assert (await refused(storages.list_pull_profiles("files")))[0] == 404


async def test_servers_of_a_linked_version_get_the_files(inn: TestInn, store: ObjectStore) -> None:
    client = inn.edgegap()
    storages = client.endpoint_storage
    store.put("maps/", b"")  # as tools mark folders
    store.put("maps/deep/", b"")
    store.put("maps/empty/", b"")
    store.put("maps/nothing.txt", b"")
    store.put("maps/arena.map", b"walls")
    store.put("maps/deep/a%20b #1.map", b"odd")
    store.put("mapsets/other.map", b"not below maps")
    store.put("conf/game.cfg", b"speed=2\n")
    await storages.create_endpoint(bucket_of(store, "files"))
    await version(inn, client)
    await storages.create_pull_profile(profile(store), "files")
    conf = profile(
        store, "conf", source=f"/{store.bucket}/conf/game.cfg", source_type=SourceType.FILE, destination="/app/conf/"
    )
    await storages.create_pull_profile(conf, "files")
    found = laid(inn)
    await deployed(inn, client)
    assert found == {}  # nothing is linked yet
    await storages.link_pull_profile("files", "maps", "arena", "v1")
    await storages.link_pull_profile("files", "conf", "arena", "v1")
    request_id = await deployed(inn, client)
    status = await client.deployments.get_deployment_status(request_id)
    assert status.current_status is DeploymentStatus.READY
    assert found == {
        "/app/maps/arena.map": b"walls",
        "/app/maps/deep/a%20b #1.map": b"odd",
        "/app/maps/nothing.txt": b"",
        "/app/conf/game.cfg": b"speed=2\n",
    }
    assert left_over(inn) == []


@pytest.mark.parametrize(
    ("made", "text"),
    [
        ({"source_type": SourceType.FILE, "source": "/BUCKET/none.cfg"}, "there is no object none.cfg in bucket"),
        ({"source": "/BUCKET/nothing"}, "there is nothing below"),
        ({"source": "/no-such-bucket/maps"}, "there is no bucket no-such-bucket"),
    ],
)
async def test_what_cannot_be_had_fails_the_deployment_and_says_what(
    small_inn: TestInn, store: ObjectStore, made: dict[str, Any], text: str
) -> None:
    client = small_inn.edgegap()
    await client.endpoint_storage.create_endpoint(bucket_of(store, "files"))
    await version(small_inn, client)
    given = {key: value.replace("BUCKET", store.bucket) if key == "source" else value for key, value in made.items()}
    await client.endpoint_storage.create_pull_profile(profile(store, **given), "files")
    await client.endpoint_storage.link_pull_profile("files", "maps", "arena", "v1")
    request_id = await deployed(small_inn, client)
    status = await client.deployments.get_deployment_status(request_id)
    assert (status.current_status, status.error) == (DeploymentStatus.ERROR, True)
    assert text in (status.error_detail or ""), status.error_detail
    assert left_over(small_inn) == []


async def test_one_that_cannot_be_tried_at_all_is_tried_again_later(inn: TestInn, store: ObjectStore) -> None:
    def spoilt() -> Steps[None]:
        yield Statement("update storages set secret_sealed = 'nothing that was sealed'")

    client = inn.edgegap()
    await client.endpoint_storage.create_endpoint(bucket_of(store))
    await version(inn, client, endpoint_storage="logs")
    inn.behave(output=OUTPUT)
    request_id = await deployed(inn, client)
    await inn.inn.db.write(spoilt)
    await stopped(inn, client, request_id)
    await save(inn)
    await save(inn)  # its time has not come
    found = await saved(inn, request_id)
    assert found is not None
    assert (found.state, found.attempts) == (SaveState.WAITING, 1)
    assert found.error == "Innkeeper could not do it: its own log says why"
    await inn.advance(25 * 3600)
    await save(inn)
    found = await saved(inn, request_id)
    assert found is not None
    assert found.state is SaveState.GIVEN_UP


def crowd(server_id: str, org_id: str) -> Steps[None]:
    """Hundreds more like a server that has ended, whose output waits for a bucket of another organisation."""
    rows = yield Statement(f"select {SERVER} from servers where id = $1", (server_id,))
    storages = yield Statement("select id, org_id from storages where org_id <> $1", (org_id,))
    ids = [f"{number:024d}{number:012x}" for number in range(300)]
    places = ", ".join(f"${at + 1}" for at in range(len(rows[0])))
    yield Many(f"insert into servers ({SERVER}) values ({places})", [[id, *rows[0][1:]] for id in ids])
    yield Many(
        "insert into saved_outputs (server_id, storage_id, org_id, state, next_at, created_at)"
        " values ($1, $2, $3, 'waiting', 0, 0)",
        [(id, *storages[0]) for id in ids],
    )


async def test_the_many_of_one_organisation_hold_up_nobody_elses(small_inn: TestInn, store: ObjectStore) -> None:
    inn = small_inn
    inn.settings = replace(inn.settings, webhook_private_networks=True)
    await inn.restart()
    inn.behave(output=OUTPUT)
    client, rival = inn.edgegap(), inn.edgegap(await inn.another_org())
    await client.endpoint_storage.create_endpoint(bucket_of(store))
    await rival.endpoint_storage.create_endpoint(bucket_of(store))
    await version(inn, client, endpoint_storage="logs")
    request_id = await deployed(inn, client)
    await stopped(inn, client, request_id)
    (server_id,) = [one for one in inn.engine.launches if one.endswith(request_id)]
    await inn.inn.db.write(crowd, server_id, inn.inn.founded.org_id)
    await save(inn)
    found = await saved(inn, request_id)
    assert found is not None
    assert found.state is SaveState.KEPT
