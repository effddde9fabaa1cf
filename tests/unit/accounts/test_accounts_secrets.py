"""kit.secrets: sealing, signed links, the house's key and private files."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.kit.errors import Unauthorized
from innkeeper.kit.secrets import (
    BadKey,
    Box,
    NotSealedHere,
    WrongKey,
    derive_key,
    digest,
    load_key,
    read_private,
    same,
    sign,
    verify,
    write_private,
)

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
BOX = Box(KEY)
TEXTS = st.text(st.characters())


@given(TEXTS, st.text())
def test_what_is_sealed_opens_in_its_place(text: str, place: str) -> None:
    sealed = BOX.seal(text, place)
    assert BOX.open(sealed, place) == text
    assert sealed.isascii()
    assert sealed.isprintable()


@given(TEXTS, st.text(), st.text())
def test_what_is_sealed_does_not_open_in_another_place(text: str, place: str, other: str) -> None:
    if place != other:
        with pytest.raises(NotSealedHere):
            BOX.open(BOX.seal(text, place), other)


@given(st.data())
def test_a_sealed_value_that_was_changed_does_not_open(data: st.DataObject) -> None:
    sealed = BOX.seal("a secret of some length", "apps.secret:app-1")
    at = data.draw(st.integers(0, len(sealed) - 1))
    letter = data.draw(st.characters(codec="utf-8"))
    changed = sealed[:at] + letter + sealed[at + 1 :]
    if changed != sealed:
        with pytest.raises((NotSealedHere, WrongKey)):
            BOX.open(changed, "apps.secret:app-1")


def test_the_same_text_is_never_sealed_the_same_way() -> None:
    assert BOX.seal("x", "p") != BOX.seal("x", "p")


def test_a_key_that_is_not_at_hand_is_named() -> None:
    with pytest.raises(WrongKey, match=r"apps\.secret:app-1 was sealed with key .*INNKEEPER_SECRET_KEY"):
        Box(OTHER_KEY).open(BOX.seal("hush", "apps.secret:app-1"), "apps.secret:app-1")


def test_a_key_can_be_changed() -> None:
    old = BOX.seal("hush", "p")
    both = Box(OTHER_KEY, older=[KEY])
    assert both.open(old, "p") == "hush"
    assert Box(OTHER_KEY).open(both.seal("hush", "p"), "p") == "hush"


@pytest.mark.parametrize(
    "value", ["", "hush", "sealed1", "sealed1..", "sealed2.a.b", "sealed1." + repr(BOX)[8:16] + ".AA"]
)
def test_what_was_never_sealed_does_not_open(value: str) -> None:
    with pytest.raises((NotSealedHere, WrongKey)):
        BOX.open(value, "p")


def test_nothing_secret_shows() -> None:
    assert KEY.hex() not in repr(BOX)
    assert base64.b64encode(KEY).decode() not in repr(BOX)
    with pytest.raises(NotSealedHere) as caught:
        BOX.open(BOX.seal("the-secret-text", "p"), "q")
    assert "the-secret-text" not in str(caught.value)
    assert caught.value.__cause__ is None


@given(TEXTS, st.integers(1, 1 << 60))
def test_a_signed_link_says_what_was_signed_until_its_time_is_over(text: str, expires: int) -> None:
    link = sign(KEY, text, expires)
    assert verify(KEY, link, expires - 1) == text
    assert set(link) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
    with pytest.raises(Unauthorized, match="time is over"):
        verify(KEY, link, expires)


@given(st.data())
def test_a_signed_link_that_was_changed_says_nothing(data: st.DataObject) -> None:
    link = sign(KEY, "upload:bld-1", 1000)
    at = data.draw(st.integers(0, len(link) - 1))
    changed = link[:at] + data.draw(st.characters()) + link[at + 1 :]
    if changed != link:
        with pytest.raises(Unauthorized):
            verify(KEY, changed, 0)


@pytest.mark.parametrize("link", ["", ".", "..", "a.b.c", sign(OTHER_KEY, "upload:bld-1", 1000), "\ud800.1.x"])
def test_a_link_that_is_not_ours_says_nothing(link: str) -> None:
    with pytest.raises(Unauthorized, match="not one that was handed out here"):
        verify(KEY, link, 0)


def test_keys_for_two_purposes_differ() -> None:
    assert derive_key(KEY, "uploads") != derive_key(KEY, "links")
    assert len(derive_key(KEY, "uploads")) == 32
    with pytest.raises(Unauthorized):
        verify(derive_key(KEY, "links"), sign(derive_key(KEY, "uploads"), "x", 9), 0)


def test_digest_and_same() -> None:
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2's example
    assert same("a\ud800", "a\ud800")
    assert not same("a", "b")


def test_the_first_start_makes_a_key_and_later_ones_find_it(tmp_path: Path) -> None:
    key = load_key(tmp_path / "data")
    assert len(key) == 32
    assert load_key(tmp_path / "data") == key
    assert (tmp_path / "data/secret.key").stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path / "data") == ["secret.key"]


def test_a_key_from_the_settings_wins_and_leaves_no_file(tmp_path: Path) -> None:
    assert load_key(tmp_path, base64.b64encode(KEY).decode()) == KEY
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("text", ["", "short", "ä" * 40, base64.b64encode(bytes(31)).decode()])
def test_what_is_no_key_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret.key").write_text(text, encoding="utf-8")
    with pytest.raises(BadKey, match=r"secret\.key must hold 32 bytes in base64") as caught:
        load_key(tmp_path)
    assert not text or text not in str(caught.value)


def test_a_box_takes_no_short_key() -> None:
    with pytest.raises(BadKey, match="must be 32 bytes, and this one has 5"):
        Box(b"short")


def test_private_files_are_whole_private_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "a" / "file"
    assert write_private(path, b"one", replace=False)
    assert not write_private(path, b"two", replace=False)
    assert path.read_bytes() == b"one"
    assert write_private(path, b"three", replace=True)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    assert read_private(path) == b"three"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path / "a") == ["file"]
