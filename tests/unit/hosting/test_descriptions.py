"""What registries tell of images is read as it is meant, and never believed where it makes no sense."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.hosting.descriptions import (
    bytes_of,
    config_of,
    copy_to_delete,
    is_digest,
    is_tag,
    is_within,
    made_at,
    members_of,
    next_page,
    tags_in,
)

DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("image", "project", "within"),
    [
        ("studio/game", "studio", True),
        ("studio/a/b", "studio", True),
        ("studio/a/b", "studio/a", True),
        ("studio", "studio", False),
        ("studio/", "studio", False),
        ("studio2/game", "studio", False),
        ("studio/../other/game", "studio", False),
        ("studio/game?n=1", "studio", False),
        ("studio/game\n", "studio", False),
        ("studio//game", "studio", False),
        ("studio/Game", "studio", False),
        (f"studio/{'a' * 255}", "studio", False),
    ],
)
def test_which_images_are_of_a_project(image: str, project: str, within: bool) -> None:
    assert is_within(image, project) is within


@pytest.mark.parametrize(
    ("text", "tag", "digest"),
    [("1.0", True, False), ("2024.01.30-16.23.00-UTC", True, False), ("latest\n", False, False), ("", False, False),
     ("a/b", False, False), ("..", False, False), ("-a", False, False), (DIGEST, False, True),
     (f"{DIGEST}/../x", False, False), ("sha256:0", False, False), ("a" * 129, False, False)],
)  # fmt: skip
def test_what_is_a_tag_and_what_a_digest(text: str, tag: bool, digest: bool) -> None:
    assert (is_tag(text), is_digest(text)) == (tag, digest)


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("", None),
        ('</v2/a/b/tags/list?last=x&n=100>; rel="next"', "https://r.example/v2/a/b/tags/list?last=x&n=100"),
        ("<http://10.0.0.1:5000/v2/a/b/tags/list?last=x>;rel=next", "https://r.example/v2/a/b/tags/list?last=x"),
        ('<https://evil.example/other?last=x>; rel="next"', "https://r.example/v2/a/b/tags/list?last=x"),
        ('</v2/a/b/tags/list?last=x>; rel="prev"', None),
        ("last=x", None),
    ],
)
def test_where_the_next_page_is(link: str, url: str | None) -> None:
    assert next_page(link, "https://r.example/v2/a/b/tags/list?n=1000") == url


@pytest.mark.parametrize(
    ("created", "at"),
    [
        ("2024-01-30T16:23:00Z", 1_706_631_780_000_000),
        ("2024-01-30T16:23:00.123456789Z", 1_706_631_780_123_456),
        ("2024-01-30T17:23:00.5+01:00", 1_706_631_780_500_000),
        ("2024-01-30T16:23:00", 1_706_631_780_000_000),
        ("0001-01-01T00:00:00Z", 0),
        ("0001-01-01T00:00:00+05:00", 0),
        ("9999-12-31T23:59:59-05:00", 0),
        ("yesterday", 0),
        (None, 0),
        (17, 0),
    ],
)
def test_when_an_image_was_made(created: object, at: int) -> None:
    assert made_at(json.dumps({"created": created}).encode()) == at


def test_what_an_image_is_made_of() -> None:
    manifest = {"config": {"size": 5, "digest": DIGEST}, "layers": [{"size": 100}, {"size": -1}, {"size": "9"}, 3]}
    data = json.dumps(manifest).encode()
    assert (bytes_of(data), config_of(data), members_of(data)) == (105, DIGEST, [])
    several = json.dumps({"manifests": [{"digest": DIGEST}, {"digest": "../x"}, 1]}).encode()
    assert (bytes_of(several), config_of(several), members_of(several)) == (0, None, [DIGEST])
    assert tags_in(b'{"tags": ["1", 2, "../x", "b"]}') == ["1", "b"]


def test_a_copy_differs_by_its_tag_and_shares_the_rest() -> None:
    data = json.dumps({"config": {"size": 5}, "annotations": {"a": "b"}}).encode()
    first, second = copy_to_delete(data, "1"), copy_to_delete(data, "2")
    assert first is not None
    assert second is not None
    assert len({data, first, second}) == 3
    assert copy_to_delete(data, "1") == first
    assert json.loads(first) == {"config": {"size": 5}, "annotations": {"a": "b", "io.innkeeper.tag-to-delete": "1"}}
    assert copy_to_delete(b"{}", "1") is None


@given(st.one_of(st.binary(), st.text().map(str.encode), st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["tags", "config", "layers", "manifests", "size", "digest", "created", "annotations"]), inner),
).map(lambda value: json.dumps(value).encode())))  # fmt: skip
def test_nothing_breaks_the_reading(body: bytes) -> None:
    for read in (tags_in, members_of, config_of):
        read(body)
    copy_to_delete(body, "1")
    assert bytes_of(body) >= 0
    assert made_at(body) >= 0
