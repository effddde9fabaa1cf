"""Proof of an address: who asks gets one answer whoever they are, and users get a mail by a real SMTP server."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from factories import TestInn, opened_inn
from innkeeper.accounts import proofs
from innkeeper.contract.hathora.management_v1 import VerificationEmailRequest
from innkeeper.db.database import Statement, Steps
from innkeeper.sdk import RateLimited, StatusError
from troubled import Cut

OWNER = "owner@localhost"


class Mailbox:
    """A mail server on loopback, and what it was handed."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.refuses = False
        self.port = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuses:
            return "451 not now"
        assert envelope.content is not None
        mail = message_from_bytes(envelope.content, policy=default)  # type: ignore[arg-type]
        assert envelope.rcpt_tos == [mail["To"]]
        self.mails.append(mail)
        return "250 OK"

    def authenticate(self, *said: Any) -> AuthResult:
        login = said[4]
        self.logins.append((login.login, login.password))
        return AuthResult(success=login.password == b"p/w")


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    box = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(box, authenticator=box.authenticate, auth_require_tls=False, loop=loop), "127.0.0.1", 0
    )
    box.port = server.sockets[0].getsockname()[1]
    yield box
    server.close()


@pytest.fixture
async def house(house_url: str, tmp_path: Path, mailbox: Mailbox) -> AsyncIterator[TestInn]:
    async with opened_inn(tmp_path / "data", house_url) as inn:
        await opened_with(inn, smtp_url=f"smtp://u:p%2Fw@127.0.0.1:{mailbox.port}", mail_from="inn@example.org")
        yield inn


async def opened_with(inn: TestInn, **settings: Any) -> None:
    await inn.stop()
    inn.settings = msgspec.structs.replace(inn.settings, **settings)
    await inn.start()


async def ask(inn: TestInn, user_id: str) -> str:
    return str(await inn.client(None).management_v1.send_verification_email(VerificationEmailRequest(user_id=user_id)))


async def post(inn: TestInn) -> float | None:
    """The pass that sends mails."""
    return await inn.inn.wings.verifying.keep()


async def visit(inn: TestInn, path: str, method: str = "GET", host: bytes = b"inn") -> tuple[int, str]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", host)],
    }  # fmt: skip
    await inn.app(scope, None, send)
    return sent[0]["status"], sent[1]["body"].decode()


def link_of(mail: Any) -> str:
    [link] = re.findall(r"http://inn(/verify/\S+)", mail.get_content())
    return str(link)


async def proved(inn: TestInn, email: str = OWNER) -> int | None:
    return await inn.inn.db.read(proofs.verified_at, email)


async def test_a_user_proves_an_address(house: TestInn, mailbox: Mailbox) -> None:
    assert await ask(house, OWNER.upper()) == "success"
    assert house.inn.wings.verifying.bell.rung
    assert mailbox.mails == []  # nobody waits for it
    await post(house)
    await post(house)
    [mail] = mailbox.mails
    assert (mail["To"], mail["From"]) == (OWNER, "inn@example.org")
    assert mailbox.logins == [(b"u", b"p/w")]
    link = link_of(mail)
    status, text = await visit(house, link)
    assert status == 200
    assert OWNER in text
    assert await proved(house) is None  # programs look at links too
    assert (await visit(house, link, "POST"))[0] == 200
    at = await proved(house)
    assert at == house.clock.now()
    house.clock.advance(10)
    await visit(house, link, "POST")
    assert await proved(house) == at
    house.clock.advance(24 * 3600)
    assert (await visit(house, link, "POST"))[0] == 401
    assert (await visit(house, "/verify/x.y.z"))[0] == 401
    assert (await visit(house, "/verify/x.y.z", "DELETE"))[0] == 404


async def test_a_stranger_gets_the_same_answer_and_no_mail(house: TestInn, mailbox: Mailbox) -> None:
    answers: dict[str, list[str]] = {}
    for email in (OWNER, "stranger@example.com"):
        said = [await ask(house, email)]
        for wait in (0, 299, 1):
            house.clock.advance(wait)
            try:
                said.append(await ask(house, email))
            except RateLimited as refused:
                said.append(f"{refused.message} {refused.headers['retry-after']}")
        await post(house)
        answers[email] = said
    told, strange = answers.values()
    assert told == strange
    assert [told[0], told[3]] == ["success", "success"]
    assert "300" in told[1]
    assert told[2].endswith(" 1")
    assert [mail["To"] for mail in mailbox.mails] == [OWNER]
    assert await ask(house, "google-oauth2|107") == "success"  # an id that is no address is nobody's
    assert await post(house) == 300
    house.clock.advance(300)
    assert await post(house) is None
    assert await house.inn.db.read(_rows) == 0


def _rows() -> Steps[int]:
    rows = yield Statement("select count(*) from verifications")
    return int(rows[0][0])


async def test_what_a_request_says_of_its_host_is_not_in_the_mail(house: TestInn, mailbox: Mailbox) -> None:
    cloud = house.client(None, headers={"Host": "evil.example"})
    await cloud.management_v1.send_verification_email(VerificationEmailRequest(user_id=OWNER))
    await post(house)
    assert "evil" not in mailbox.mails[0].as_string()


@pytest.mark.parametrize("after", [False, True])
async def test_a_mail_is_sent_though_the_power_goes_out(house: TestInn, mailbox: Mailbox, after: bool) -> None:
    await ask(house, OWNER)
    house.trouble.arm(2, after=after)  # it has been sent, and that is about to be written down
    with pytest.raises(Cut):
        await post(house)
    house.trouble.arm(None)
    await house.restart()
    await post(house)
    await post(house)
    assert len(mailbox.mails) == (1 if after else 2)


async def test_it_is_tried_again_for_an_hour(house: TestInn, mailbox: Mailbox) -> None:
    mailbox.refuses = True
    await ask(house, OWNER)
    assert await post(house) == 30
    assert mailbox.mails == []
    mailbox.refuses = False
    house.clock.advance(30)
    assert await post(house) == 300
    assert len(mailbox.mails) == 1
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        await opened_with(house, smtp_url=f"smtp://127.0.0.1:{nobody.getsockname()[1]}")
        house.clock.advance(300)
        await ask(house, OWNER)
        assert await post(house) == 30
        house.clock.advance(3600)
        assert await post(house) is None


async def test_without_a_way_to_send_the_operator_is_told_which_setting(small_inn: TestInn) -> None:
    for email in (OWNER, "stranger@example.com", "nonsense"):
        with pytest.raises(StatusError, match="smtp_url") as refused:
            await ask(small_inn, email)
        assert refused.value.status == 500


async def test_one_address_cannot_ask_for_all(small_inn: TestInn, mailbox: Mailbox) -> None:
    await opened_with(small_inn, smtp_url=f"smtp://127.0.0.1:{mailbox.port}", logins_a_minute=3)
    for number in range(3):
        await ask(small_inn, f"{number}@example.com")
    with pytest.raises(RateLimited):
        await ask(small_inn, "3@example.com")
