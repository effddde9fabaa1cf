"""How tags are listed and deleted at registries of several kinds; these are pretended. A real one is in the flows."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import pytest

from innkeeper.hosting.imagetags import MOST_DELETED, MOST_TAGS, DeletedTag, ImageTags
from innkeeper.hosting.registrytalk import Ask, Heard
from innkeeper.kit.errors import HouseError, Invalid, NotFound, NotSetUp, Unavailable
from innkeeper.registryspecs import RegistrySpec

GAME = "studio/game"
ROOT = f"https://r.example/v2/{GAME}"
ONE = b'{"config": {"size": 5, "digest": "sha256:%s"}, "layers": [{"size": 100}]}' % (b"0" * 64)
OTHER = b'{"config": {"size": 7}, "layers": [{"size": 200}], "annotations": {"a": "b"}}'


def digest_of(manifest: bytes) -> str:
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}"


class Pretended:
    """A registry at r.example. ``untags``: whether it takes the deletion of a tag, as newer ones do."""

    def __init__(
        self, *, untags: bool = False, deletes: bool = True, page: int = 100, says_digest: bool = True
    ) -> None:
        self.untags, self.deletes, self.page, self.says_digest = untags, deletes, page, says_digest
        self.manifests: dict[str, bytes] = {}
        self.tags: dict[str, str] = {}
        self.asked: list[str] = []
        self.fails: dict[str, Heard] = {}  #: by a pattern of what is asked: once
        self.after_put: Heard | None = None  #: what the next deletion after a PUT comes to
        self.ends_after: int | None = None  #: how many questions are answered before nobody is there
        self.bearer = False

    def put(self, tag: str, manifest: bytes) -> str:
        digest = self.tags[tag] = digest_of(manifest)
        self.manifests[digest] = manifest
        return digest

    @asynccontextmanager
    async def line(self) -> AsyncGenerator[Ask]:
        yield self.ask

    async def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Heard:
        who = headers.get("Authorization", "").partition(" ")[0]
        if url.startswith("https://auth.example/"):
            assert who == "Basic"
            return Heard(200, body=b'{"token": "t0k"}')
        assert url.startswith("https://r.example/v2/"), url
        if who != ("Bearer" if self.bearer else "Basic"):
            return Heard(401, 'Bearer realm="https://auth.example/t",scope="x"' if self.bearer else 'Basic realm="x"')
        what = f"{method} {url.removeprefix(ROOT)}"
        self.asked.append(what)
        if self.ends_after is not None:
            if self.ends_after == 0:
                raise OSError("it is over")
            self.ends_after -= 1
        for pattern in list(self.fails):
            if re.search(pattern, what):
                return self.fails.pop(pattern)
        return self._answer(method, url.removeprefix(ROOT), headers, body)

    def _answer(self, method: str, rest: str, headers: Mapping[str, str], body: bytes) -> Heard:
        if rest.startswith("/tags/list"):
            names = sorted(self.tags)
            last = rest.partition("last=")[2]
            names = [name for name in names if name > last]
            link = f'</v2/{GAME}/tags/list?last={names[self.page - 1]}>; rel="next"' if len(names) > self.page else ""
            told = {"name": GAME, "tags": names[: self.page] or None}
            return Heard(200, body=json.dumps(told).encode(), headers={"link": link})
        if rest.startswith("/blobs/"):
            return Heard(200, body=b'{"created": "1970-01-01T00:00:01Z"}')
        name = rest.removeprefix("/manifests/")
        digest = name if ":" in name else self.tags.get(name, "")
        if method == "PUT":
            assert headers["Content-Type"] == "a/manifest"
            self.put(name, body)
            self.fails |= {} if self.after_put is None else {"^DELETE": self.after_put}
            self.after_put = None
            return Heard(201)
        if method == "DELETE":
            if not self.deletes:
                return Heard(405)
            if ":" not in name:
                return Heard(202 if self.untags and self.tags.pop(name, "") else 400)
        if digest not in self.manifests:
            return Heard(404)
        if method == "DELETE":
            del self.manifests[digest]
            self.tags = {tag: other for tag, other in self.tags.items() if other != digest}
            return Heard(202)
        more = {"docker-content-digest": digest} if self.says_digest else {}
        return Heard(
            200, body=self.manifests[digest] if method == "GET" else b"", headers={"content-type": "a/manifest", **more}
        )


def verbs(registry: Pretended) -> ImageTags:
    spec = RegistrySpec(url="r.example", project="studio", username="ann", password="alohomora")
    return ImageTags({"org": spec}, registry.line)


@pytest.mark.parametrize("bearer", [False, True])
@pytest.mark.parametrize("says_digest", [False, True])
async def test_tags_come_by_name_from_all_pages(bearer: bool, says_digest: bool) -> None:
    registry = Pretended(page=2, says_digest=says_digest)
    registry.bearer = bearer
    for tag, manifest in (("c", ONE), ("a", ONE), ("b", OTHER), ("e", OTHER), ("d", ONE)):
        registry.put(tag, manifest)
    total, found = await verbs(registry).page("org", GAME, 1, 3)
    assert total == 5
    assert [(one.tag, one.tags, one.bytes, one.made_at) for one in found] == [
        ("b", ["b", "e"], 207, 0), ("c", ["a", "c", "d"], 105, 1_000_000), ("d", ["a", "c", "d"], 105, 1_000_000),
    ]  # fmt: skip
    assert [one.digest for one in found] == [digest_of(OTHER), digest_of(ONE), digest_of(ONE)]


@pytest.mark.parametrize("untags", [False, True])
@pytest.mark.parametrize("manifest", [ONE, OTHER, b'{"manifests": []}'])
async def test_a_tag_goes_and_its_image_stays(untags: bool, manifest: bytes) -> None:
    registry = Pretended(untags=untags)
    digest = registry.put("1", manifest)
    registry.put("2", manifest)
    registry.put("3", ONE + b" ")
    before = set(registry.manifests)
    deleted = await verbs(registry).delete("org", GAME, "1")
    assert (deleted.tag, deleted.digest, deleted.left) == ("1", digest, ["2"])
    assert (set(registry.tags), registry.tags["2"], set(registry.manifests)) == ({"2", "3"}, digest, before)
    assert (await verbs(registry).delete("org", GAME, "2")).left == []
    assert (set(registry.tags), set(registry.manifests)) == ({"3"}, before - {digest})


@pytest.mark.parametrize("after", range(1, 10))
async def test_cut_off_anywhere_and_repeated_a_tag_goes_all_the_same(after: int) -> None:
    registry = Pretended()
    digest = registry.put("1", ONE)
    registry.put("2", ONE)
    registry.ends_after = after
    with pytest.raises(Unavailable, match="does not answer: it is over"):
        await verbs(registry).delete("org", GAME, "1")
    registry.ends_after = None
    deleted = await verbs(registry).delete("org", GAME, "1")
    assert deleted.left in (["2"], [])  # none: what was left of it was the copy
    assert (registry.tags, set(registry.manifests)) == ({"2": digest}, {digest})


async def test_what_cannot_be_deleted_after_all_is_put_back() -> None:
    registry = Pretended()
    digest = registry.put("1", ONE)
    registry.put("2", ONE)
    registry.after_put = Heard(500)
    with pytest.raises(Unavailable, match="answers 500"):
        await verbs(registry).delete("org", GAME, "1")
    assert registry.tags == {"1": digest, "2": digest}


@pytest.mark.parametrize(
    ("what", "heard", "error", "why"),
    [
        ("GET /tags", Heard(404), NotFound, "there is no image studio/game in the registry r.example"),
        ("GET /tags", Heard(500), Unavailable, "answers 500"),
        ("GET /tags", Heard(403), NotSetUp, "does not let the user ann of the setting registries do this"),
        ("HEAD ", Heard(429), Unavailable, "answers 429"),
        ("HEAD ", Heard(404), NotFound, "there is no tag '1' of studio/game"),
        ("DELETE ", Heard(405), Invalid, "deletes nothing: whoever runs it allows it with REGISTRY_STORAGE_DELETE"),
        ("DELETE ", Heard(401), NotSetUp, "does not let the user ann of the setting registries delete"),
        ("DELETE ", Heard(502), Unavailable, "answers 502"),
    ],
)
async def test_why_not(what: str, heard: Heard, error: type[HouseError], why: str) -> None:
    registry = Pretended()
    registry.put("1", ONE)
    registry.fails = {what: heard}
    with pytest.raises(error, match=re.escape(why)) as caught:
        await verbs(registry).delete("org", GAME, "1")
    assert "alohomora" not in str(caught.value)
    assert "1" in registry.tags


async def test_several_each_have_a_result_unless_none_could() -> None:
    registry = Pretended()
    for tag, manifest in (("1", ONE), ("2", ONE), ("3", OTHER)):
        registry.put(tag, manifest)
    registry.fails = {f"DELETE /manifests/{digest_of(OTHER)}": Heard(503)}
    results = await verbs(registry).delete_several("org", GAME, ["3", "1", "0", "2", "1"])
    kinds = [(tag, type(became)) for tag, became in results]
    assert kinds == [("3", Unavailable), ("1", DeletedTag), ("0", NotFound), ("2", DeletedTag)]
    assert set(registry.tags) == {"3"}
    registry.deletes = False
    with pytest.raises(Invalid, match="deletes nothing"):
        await verbs(registry).delete_several("org", GAME, ["0", "3"])
    for tags in ([], [str(number) for number in range(MOST_DELETED + 1)]):
        with pytest.raises(Invalid, match="tags: name from 1 to 100 tags"):
            await verbs(registry).delete_several("org", GAME, tags)


async def test_an_image_with_too_many_tags_is_left_alone() -> None:
    registry = Pretended(page=1000)
    registry.put("1", ONE)
    registry.tags = {f"t{number}": digest_of(ONE) for number in range(MOST_TAGS + 1)}
    with pytest.raises(Invalid, match="more than 5000 tags"):
        await verbs(registry).delete("org", GAME, "t1")
    assert not [asked for asked in registry.asked if not asked.startswith("GET /tags")]


async def test_nobody_reaches_what_is_not_theirs() -> None:
    registry = Pretended()
    with pytest.raises(NotFound, match=r"whoever runs this house names one .* \[\[registries\]\]"):
        await verbs(registry).page("other", GAME, 0, 10)
    with pytest.raises(NotFound, match="images of your organisation begin with studio/"):
        await verbs(registry).page("org", "studio2/game", 0, 10)
    assert registry.asked == []
