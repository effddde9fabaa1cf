"""The page of all operations: what each takes and brings, with nothing of the sources' own marks left in it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from innkeeper.api.docs import reference_page
from innkeeper.contract.hathora import HATHORA

#: Elements that have no end.
VOID = {"meta"}


@pytest.fixture(scope="module")
def page() -> str:
    return reference_page([HATHORA])


def article(page: str, name: str) -> str:
    [found] = re.findall(rf'<article id="{name}">(.*?)</article>', page)
    return str(found)


def test_every_operation_has_its_parameters_and_answer(page: str) -> None:
    for operation in HATHORA.operations():
        if operation.public:
            said = article(page, operation.id)
            for parameter in operation.plan.parameters:
                assert parameter.place == "body" or f"<code>{parameter.wire}</code>" in said, operation.id
            assert f"Answers {operation.status}: " in said


def test_one_operation_in_full(page: str) -> None:
    said = article(page, "CreateRoom")
    assert "<td><code>roomId</code></td><td>query, optional</td><td>string, 1 to 100 characters, " in said
    assert '<td>body</td><td><a href="#object-CreateRoomParams">CreateRoomParams</a></td>' in said
    assert 'Answers 201: <a href="#object-RoomConnectionData">RoomConnectionData</a>.' in said
    assert "ask <code>GetConnectionInfo</code> until" in said


def test_objects_have_their_fields(page: str) -> None:
    said = article(page, "object-CreateRoomParams")
    assert "<td><code>clientIPs</code></td><td>optional</td><td>list of string</td><td>players&#x27; addresses" in said
    assert "<li><code>suspended</code>: off its server, the id kept</li>" in article(page, "object-RoomStatus")
    assert "<p><code>Seattle</code>, <code>Los_Angeles</code>" in article(page, "object-Region")


def test_links_lead_somewhere_and_names_are_there_once(page: str) -> None:
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_it_is_well_formed_and_has_no_marks_of_the_sources(page: str) -> None:
    class Checker(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag not in VOID:
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    assert "`" not in page
    assert not re.search(r"\bNone\b|\bUNSET\b", page)
