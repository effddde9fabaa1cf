"""Words a vendor may add to: kept by clients, refused by the server while it reads."""

from __future__ import annotations

import copy
import pickle
import threading

import msgspec
import pytest

from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.hathora.words import Region, RoomStatus
from innkeeper.contract.words import strictly

MARS = b'{"region":"Mars"}'


def test_a_client_keeps_a_word_it_does_not_know() -> None:
    params = msgspec.json.decode(MARS, type=CreateRoomParams)
    assert not params.region.known
    assert str(params.region) == params.region.value == "Mars"
    assert repr(params.region) == "Region('Mars')"
    assert msgspec.json.encode(params) == MARS
    assert params.region == Region("Mars") == "Mars"
    assert len({params.region, Region("Mars"), "Mars"}) == 1


def test_an_unknown_word_leaves_the_known_ones_alone() -> None:
    before = list(Region)
    Region("Mars")
    assert list(Region) == before
    assert Region("Tokyo") is Region.TOKYO
    assert Region.TOKYO.known
    assert Region("TOKYO").known is False, "the name of a member is not its word"
    assert repr(Region.TOKYO) == "Region.TOKYO"
    assert f"{Region.TOKYO}" == "Tokyo"


def test_words_can_be_copied_and_sent_to_another_process() -> None:
    for word in (Region.TOKYO, Region("Mars")):
        assert pickle.loads(pickle.dumps(word)) == word
        assert copy.deepcopy(word) == word


def test_the_server_refuses_it_and_says_where() -> None:
    with strictly(), pytest.raises(msgspec.ValidationError, match=r"Invalid enum value 'Mars' - at `\$.region`"):
        msgspec.json.decode(MARS, type=CreateRoomParams)
    assert not msgspec.json.decode(MARS, type=CreateRoomParams).region.known


def test_a_number_is_no_word() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"region":3}', type=CreateRoomParams)


def test_strictness_ends_with_its_block_also_when_nested_or_broken_off() -> None:
    with strictly():
        with strictly():
            pass
        with pytest.raises(ValueError, match="Mars"):
            Region("Mars")
    with pytest.raises(KeyError), strictly():
        raise KeyError
    assert not Region("Mars").known


def test_strictness_is_of_one_thread() -> None:
    seen: list[bool] = []
    with strictly():
        thread = threading.Thread(target=lambda: seen.append(Region("Mars").known))
        thread.start()
        thread.join()
    assert seen == [False]


def test_states_compare_with_their_text() -> None:
    assert RoomStatus.ACTIVE == "active"
    assert RoomStatus.ACTIVE != RoomStatus.DESTROYED
