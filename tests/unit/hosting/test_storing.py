"""What buckets hold and where files of them go: pure decisions, by tables."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator

import pytest

from innkeeper.hosting.storing.bucket import Where, region_of, told
from innkeeper.hosting.storing.guard import Ask, Unreadable, read_head
from innkeeper.hosting.storing.lines import MOST_LINE, as_ndjson
from innkeeper.hosting.storing.model import (
    TRIED,
    OutputForm,
    Profile,
    PullKind,
    SaveState,
    Source,
    Verdict,
    after_failure,
    check_bucket,
    check_endpoint,
    check_key_id,
    check_secret,
    form_of,
    key_of,
    overlap,
    place_of,
    read_destination,
    read_source,
)
from innkeeper.kit.clock import HOUR, SECOND
from innkeeper.kit.errors import Invalid


def profile(source: str, destination: str, kind: PullKind = PullKind.FILE) -> Profile:
    return Profile("pull-1", "store-1", "maps", source, kind, destination, 0, 0)


@pytest.mark.parametrize(
    ("destination", "parts"),
    [
        ("/app/config", ("app", "config")),
        ("/app//config/", ("app", "config")),
        ("/usr/share/configs", ("usr", "share", "configs")),
        ("/etcetera", ("etcetera",)),
        ("/usr/local/share/game", ("usr", "local", "share", "game")),
        ("/srv/game/データ", ("srv", "game", "データ")),
    ],
)
def test_places_where_files_may_go(destination: str, parts: tuple[str, ...]) -> None:
    assert read_destination(destination) == parts


@pytest.mark.parametrize(
    "destination",
    [
        "", "app", "/", "//", "/etc", "/etc/", "/etc/passwd", "//etc/passwd", "/proc/1", "/sys", "/dev/null", "/bin/sh",
        "/lib", "/lib64/x", "/usr", "/usr/", "/usr/bin", "/usr/lib/x", "/usr/local/bin/game", "/boot", "/run/secrets",
        "/var", "/var/run/x", "/app/../etc/passwd", "/app/./x", "/app/a\0b", "/app/a\nb", "/app/" + "x" * 300,
        "/" + "x/" * 40,
    ],
)  # fmt: skip
def test_protected_and_strange_places_are_refused(destination: str) -> None:
    with pytest.raises(Invalid, match="destination: "):
        read_destination(destination)


@pytest.mark.parametrize(
    ("source", "kind", "found"),
    [
        ("/my-bucket/config.cfg", PullKind.FILE, Source("my-bucket", "config.cfg")),
        ("my-bucket/a/b.cfg", PullKind.FILE, Source("my-bucket", "a/b.cfg")),
        ("/my-bucket/maps/", PullKind.FOLDER, Source("my-bucket", "maps")),
        ("/my-bucket/maps", PullKind.FOLDER, Source("my-bucket", "maps")),
        ("/my-bucket", PullKind.FOLDER, Source("my-bucket", "")),
        ("/my-bucket", PullKind.FILE, None),
        ("/my-bucket/maps/", PullKind.FILE, None),
        ("/my-bucket/../other/x", PullKind.FILE, None),
        ("/my-bucket//x", PullKind.FILE, None),
        ("", PullKind.FOLDER, None),
        ("/../x", PullKind.FILE, None),
        ("/b ucket/x", PullKind.FILE, None),
    ],
)
def test_sources(source: str, kind: PullKind, found: Source | None) -> None:
    if found is not None:
        assert read_source(source, kind) == found
    else:
        with pytest.raises(Invalid, match="source: "):
            read_source(source, kind)


@pytest.mark.parametrize(
    ("of", "path", "place"),
    [
        (profile("/b/x/config.cfg", "/app/settings.cfg"), "", ("app", "settings.cfg")),
        (profile("/b/x/config.cfg", "/app/"), "", ("app", "config.cfg")),
        (profile("/b/maps", "/app/maps", PullKind.FOLDER), "a/b.map", ("app", "maps", "a", "b.map")),
    ],
)
def test_where_an_object_is_laid(of: Profile, path: str, place: tuple[str, ...]) -> None:
    assert place_of(of, path) == place


@pytest.mark.parametrize("path", ["../x", "a/../../x", "a//b", "", "a/.", "a\0b"])
def test_an_object_cannot_be_laid_elsewhere(path: str) -> None:
    with pytest.raises(Invalid):
        place_of(profile("/b/maps", "/app", PullKind.FOLDER), path)


def test_a_place_is_no_file_and_folder_at_once() -> None:
    assert overlap([("app", "a"), ("app", "b", "c")]) is None
    assert overlap([("app", "a"), ("app", "a", "c")]) == "/app/a"


@pytest.mark.parametrize(
    ("app", "label", "form", "key"),
    [
        ("my-game", "v1.2", OutputForm.TEXT, "my-game/v1.2/93924761ccde/container.log"),
        ("my game", "v1", OutputForm.NDJSON, "my game/v1/93924761ccde/container.ndjson"),
        ("a/b", "..", OutputForm.TEXT, "a_b/_/93924761ccde/container.log"),
        ("ゲーム", "v%1#", OutputForm.TEXT, "ゲーム/v_1_/93924761ccde/container.log"),
    ],
)
def test_what_output_is_called(app: str, label: str, form: OutputForm, key: str) -> None:
    assert key_of(app, label, "93924761ccde", form) == key
    assert form_of(key) is form


@pytest.mark.parametrize(
    ("attempts", "age", "verdict"),
    [
        (1, 0, Verdict(SaveState.WAITING, 10 * SECOND)),
        (6, HOUR, Verdict(SaveState.WAITING, HOUR + 3600 * SECOND)),
        (60, TRIED - HOUR, Verdict(SaveState.WAITING, TRIED)),
        (60, TRIED, Verdict(SaveState.GIVEN_UP, None)),
        (1, 3 * TRIED, Verdict(SaveState.GIVEN_UP, None)),
    ],
)
def test_attempts_go_on_for_a_day(attempts: int, age: int, verdict: Verdict) -> None:
    assert after_failure(attempts, 0, age, 0.5) == verdict


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("endpoint", lambda: check_endpoint("file:///etc", anywhere=True)),
        ("endpoint", lambda: check_endpoint("http://10.0.0.1:9000", anywhere=False)),
        ("endpoint", lambda: check_endpoint("http://127.1:9000", anywhere=False)),
        ("endpoint", lambda: check_endpoint("https://s3.example.com/?x=1", anywhere=True)),
        ("endpoint", lambda: check_endpoint("https://me:secret@s3.example.com", anywhere=True)),
        ("bucket", lambda: check_bucket("../other")),
        ("bucket", lambda: check_bucket("")),
        ("access_key_id", lambda: check_key_id("a b")),
        ("access_key_id", lambda: check_key_id("a\r\nb")),
        ("secret_access_key", lambda: check_secret("")),
    ],
)
def test_what_no_storage_can_be(field: str, call: object) -> None:
    assert callable(call)
    with pytest.raises(Invalid, match=f"{field}: "):
        call()


@pytest.mark.parametrize(
    ("endpoint", "region"),
    [
        ("https://s3.eu-west-1.amazonaws.com", "eu-west-1"),
        ("https://us-east-1.your-s3-provider.com", "us-east-1"),
        ("https://abc.r2.cloudflarestorage.com", "auto"),
        ("https://minio.example.com:9000", None),
    ],
)
def test_the_region_that_an_address_names(endpoint: str, region: str | None) -> None:
    assert region_of(endpoint) == region


WHERE = Where("https://s3.example.com", "logs", "key", "a-long-secret", anywhere=False)


@pytest.mark.parametrize(
    ("error", "trouble", "text"),
    [
        ("403: <Code>AccessDenied</Code><Message>No</Message>", None, "bucket logs refuses a/b: AccessDenied: No"),
        ("404: <Error><Code>NoSuchBucket</Code>", None, "there is no bucket logs"),
        ("404: <Error><Code>NoSuchKey</Code>", None, "there is no object a/b in bucket logs"),
        ("status code: 500 Oops\n\nDebug source:\nX {", None, "bucket logs answers 500 to a/b"),
        ("anything", "it is away", "https://s3.example.com cannot be reached: it is away"),
        ("whatever", None, "https://s3.example.com does not answer as an object store does"),
        ("<Code>X</Code><Message>you said a-long-secret</Message>", None, "bucket logs refuses a/b: X: you said ***"),
    ],
)  # fmt: skip
def test_troubles_are_told_in_plain_words(error: str, trouble: str | None, text: str) -> None:
    assert told(WHERE, "a/b", error, trouble) == text


def test_a_secret_is_not_in_what_is_printed_of_a_bucket() -> None:
    assert "a-long-secret" not in repr(WHERE)


async def pieces(*texts: bytes) -> AsyncIterator[bytes]:
    for text in texts:
        yield text


@pytest.mark.parametrize(
    ("texts", "lines"),
    [
        ((b"a\nb\n",), [{"message": "a"}, {"message": "b"}]),
        ((b"a", b"b\r\n", b"\n", b"c"), [{"message": "ab"}, {"message": ""}, {"message": "c"}]),
        ((b"\xff\n",), [{"message": "\N{REPLACEMENT CHARACTER}"}]),
        ((), []),
    ],
)
async def test_lines_as_objects(texts: tuple[bytes, ...], lines: list[object]) -> None:
    told = b"".join([piece async for piece in as_ndjson(pieces(*texts))])
    assert [json.loads(line) for line in told.splitlines()] == lines


async def test_a_line_without_an_end_is_told_in_parts() -> None:
    line = "ä" * MOST_LINE
    told = b"".join([piece async for piece in as_ndjson(pieces(b"x" + line.encode(), b"\n"))])
    objects = [json.loads(each) for each in told.splitlines()]
    assert "".join(each["message"] for each in objects) == "x" + line
    assert [each.get("partial", False) for each in objects] == [True, True, False]
    assert "\N{REPLACEMENT CHARACTER}" not in told.decode()


AUTH = "Proxy-Authorization: Basic " + base64.b64encode(b"public:word").decode()


@pytest.mark.parametrize(
    ("head", "ask"),
    [
        (f"CONNECT s3.example.com:443 HTTP/1.1\r\n{AUTH}", Ask("s3.example.com", 443, True, b"", 0, "public:word")),
        ("CONNECT [::1]:8443 HTTP/1.1", Ask("::1", 8443, True, b"", 0, "")),
        (
            f"PUT http://s3.example.com:9000/b/k?x=1 HTTP/1.1\r\nhost: s3\r\n{AUTH}\r\nConnection: keep-alive\r\n"
            "content-length: 5",
            Ask(
                "s3.example.com", 9000, False,
                b"PUT /b/k?x=1 HTTP/1.1\r\nhost: s3\r\ncontent-length: 5\r\nconnection: close\r\n\r\n", 5,
                "public:word",
            ),
        ),
        ("GET /healthz HTTP/1.1", None),
        ("GET ftp://s3.example.com/ HTTP/1.1", None),
        ("POST http://h/ HTTP/1.1\r\ntransfer-encoding: chunked", None),
        ("POST http://h/ HTTP/1.1\r\ncontent-length: -1", None),
        ("CONNECT h:99999999 HTTP/1.1", None),
        ("nonsense", None),
    ],
)  # fmt: skip
def test_what_the_guard_is_asked_for(head: str, ask: Ask | None) -> None:
    raw = f"{head}\r\n\r\n".encode()
    if ask is not None:
        assert read_head(raw) == ask
    else:
        with pytest.raises(Unreadable):
            read_head(raw)
