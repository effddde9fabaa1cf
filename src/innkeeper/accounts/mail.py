"""Sending a mail by SMTP. ``inn.py`` hands it to ``verifying.py``.

The standard library's client, in a thread: mails are few, and each is a conversation of its own.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Awaitable, Callable
from email.message import EmailMessage

from innkeeper.kit.smtp import Post

#: Sends a text to an address: to, subject, text. Raises where it was not taken.
SendMail = Callable[[str, str, str], Awaitable[None]]

_SECONDS = 20.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def mailer(post: Post, sender: str) -> SendMail:
    """What sends mails from ``sender`` by way of ``post``."""

    async def send(to: str, subject: str, text: str) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, to, subject
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text)
        await asyncio.to_thread(_send, post, mail)

    return send


def _send(post: Post, mail: EmailMessage) -> None:
    context = ssl.create_default_context()
    line = (
        smtplib.SMTP_SSL(post.host, post.port, timeout=_SECONDS, context=context)
        if post.tls
        else smtplib.SMTP(post.host, post.port, timeout=_SECONDS)
    )
    with line:
        line.ehlo_or_helo_if_needed()
        secret = post.tls
        if not secret and line.has_extn("starttls"):
            line.starttls(context=context)
            line.ehlo()
            secret = True
        if post.user:
            if not secret and post.host not in _LOOPBACK:
                raise smtplib.SMTPException(f"{post.host} offers no TLS, and a password is not sent without")
            line.login(post.user, post.password)
        line.send_message(mail)
