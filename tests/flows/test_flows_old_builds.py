"""Builds as old pipelines make them, by number and by forms, seen by new ones, and the other way round."""

from __future__ import annotations

import asyncio

import pytest

from api.wire import ask
from factories import TestInn, archive
from innkeeper.contract.errors import CallError
from innkeeper.contract.hathora.builds_v2 import BuildWithMultipartUrls, CreateBuildParams
from innkeeper.contract.hathora.builds_v3 import BuildStatus, CreateMultipartBuildParams
from innkeeper.sdk import AsyncHathoraCloud

pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated. use :DeprecationWarning")


async def owner(inn: TestInn) -> AsyncHathoraCloud:
    return (await inn.game()).cloud


async def state(cloud: AsyncHathoraCloud, number: int) -> BuildStatus:
    return (await cloud.builds_v2.get_build_info(number)).status


async def test_the_oldest_way_is_a_form_that_is_run_at_once(inn: TestInn) -> None:
    cloud = await owner(inn)
    build = await cloud.builds_v1.create_build(CreateBuildParams(build_tag="1.0"))
    assert (build.build_id, build.build_tag, build.status) == (2, "1.0", BuildStatus.CREATED)  # the game's own is 1
    async with await cloud.builds_v1.run_build(build.build_id, archive()) as log:
        assert log.headers["content-type"] == "text/plain"
        assert "Build succeeded." in (await log.read()).decode()
    assert await state(cloud, 2) is BuildStatus.SUCCEEDED
    [newest, first] = (await cloud.builds_v3.get_builds()).builds
    assert newest.build_tag == "1.0"
    release = await inn.release(build.app_id, newest.build_id)
    assert release.build_id == newest.build_id != first.build_id


async def test_an_upload_link_takes_the_fields_and_then_the_file(inn: TestInn) -> None:
    cloud = await owner(inn)
    build = await cloud.builds_v2.create_build_with_upload_url(CreateBuildParams())
    fields = [(field.key, field.value) for field in build.upload_body_params]
    assert fields
    head = "".join(f'--xx\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields)
    form = f'{head}--xx\r\nContent-Disposition: form-data; name="file"; filename="b.tgz"\r\n\r\n'.encode()
    form += archive() + b"\r\n--xx--\r\n"
    # Cut anywhere, as networks do.
    pieces = [form[at : at + 37] for at in range(0, len(form), 37)]
    sent = await ask(
        inn, "POST", build.upload_url.removeprefix("http://inn"), pieces,
        headers={"content-type": "multipart/form-data; boundary=xx"},
    )  # fmt: skip
    assert (sent.status, sent.body) == (204, b"")
    assert sent.headers["ETag"].startswith('"')
    async with await cloud.builds_v2.run_build(build.build_id) as log:
        assert log.headers["content-type"] == "application/octet-stream"
        assert "Build succeeded." in (await log.read()).decode()


@pytest.mark.parametrize("nothing", [None, b"", b"{}"])
async def test_parts_go_where_those_of_new_builds_go(inn: TestInn, nothing: bytes | None) -> None:
    cloud, packed = await owner(inn), archive()
    params = CreateMultipartBuildParams(build_size_in_bytes=len(packed), build_id="chosen")
    build = await cloud.builds_v2.create_with_multipart_uploads(params)
    assert isinstance(build, BuildWithMultipartUrls)
    [part] = build.upload_parts
    sent = await ask(inn, "PUT", part.put_request_url.removeprefix("http://inn"), packed)
    done = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>"
    url = build.complete_upload_post_request_url.removeprefix("http://inn")
    assert (await ask(inn, "POST", url, done.format(sent.headers["ETag"]).encode())).status == 200
    answer = await ask(inn, "POST", f"/builds/v2/{build.app_id}/run/{build.build_id}", nothing, token=inn.token)
    assert answer.status == 200
    assert (await cloud.builds_v3.get_build("chosen")).status is BuildStatus.SUCCEEDED


async def test_lists_of_other_apps_leave_an_apps_builds_out(inn: TestInn) -> None:
    mine, other = await inn.game(), await inn.game()
    build = await mine.cloud.builds_v1.create_build(CreateBuildParams())
    shared = [1]  # made by a new client: for all apps
    assert [b.build_id for b in await mine.cloud.builds_v1.get_builds()] == [build.build_id, *shared]
    assert [b.build_id for b in await other.cloud.builds_v2.get_builds()] == shared
    assert {b.app_id for b in await other.cloud.builds_v2.get_builds()} == {other.app_id}
    assert len((await mine.cloud.builds_v3.get_builds()).builds) == 2


async def test_deleting_by_number_is_deleting(inn: TestInn) -> None:
    cloud = await owner(inn)
    await cloud.builds_v1.delete_build(1)
    assert (await cloud.builds_v3.get_builds()).builds == []
    assert (await cloud.builds_v2.create_build(CreateBuildParams())).build_id == 2  # numbers are not used again
    with pytest.raises(CallError) as gone:
        await cloud.builds_v2.delete_build(1)
    assert gone.value.status == 404


async def test_numbers_of_other_organisations_do_not_exist(inn: TestInn) -> None:
    game = await inn.game()
    rival = inn.client(await inn.another_org(), app_id=game.app_id)
    for ask_for in (rival.builds_v1.get_build_info, rival.builds_v2.get_build_info, rival.builds_v1.delete_build):
        with pytest.raises(CallError) as refused:
            await ask_for(1)
        assert refused.value.status == 404


@pytest.mark.parametrize(
    ("kind", "body", "told"),
    [
        ("application/octet-stream", b"\x1f\x8b", "must be a form"),
        ("multipart/form-data", b"--x\r\n", "must be a form"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\nab", "be read"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--',
            "file",
        ),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A" * 9000 + b": b\r\n\r\n\r\n--x--", "be read"),
    ],
)
async def test_what_is_no_form_with_a_file_is_refused(inn: TestInn, kind: str, body: bytes, told: str) -> None:
    cloud = await owner(inn)
    build = await cloud.builds_v1.create_build(CreateBuildParams())
    path = f"/builds/v1/{build.app_id}/run/{build.build_id}"
    answer = await ask(inn, "POST", path, body, token=inn.token, headers={"content-type": kind})
    assert answer.status == 422
    assert told in answer.message
    assert await state(cloud, build.build_id) is BuildStatus.CREATED  # and can still be run


async def test_builds_made_at_once_have_numbers_of_their_own(inn: TestInn) -> None:
    cloud = await owner(inn)
    made = await asyncio.gather(*(cloud.builds_v1.create_build(CreateBuildParams()) for _ in range(20)))
    assert sorted(build.build_id for build in made) == list(range(2, 22))
