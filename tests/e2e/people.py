"""People and organisations that no operation of the API can make: Google, and studios that invite ours."""

from __future__ import annotations

import http.server
import json
import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

from joserfc import jwt
from joserfc.jwk import RSAKey

from inns import RunningInn

CLIENT_ID = "1234567890-game.apps.googleusercontent.com"
OWNER = "owner@localhost"  #: of the first organisation


class Google:
    """Publishes its key on loopback, and signs ID tokens with it."""

    def __init__(self, url: str, key: RSAKey) -> None:
        self.url, self._key = url, key

    def id_token(self, who: str, now: int | None = None) -> str:
        """Google's word that somebody is ``who``, said ``now`` (Unix time; the machine's unless given)."""
        now = int(time.time()) if now is None else now
        claims = {
            "iss": "https://accounts.google.com", "aud": CLIENT_ID, "sub": who, "name": who.title(), "iat": now,
            "exp": now + 3600,
        }  # fmt: skip
        return jwt.encode({"alg": "RS256", "kid": "e2e"}, claims, self._key)


@contextmanager
def stand_in_for_google() -> Generator[Google]:
    """A key set at an address of loopback, for the setting ``google_keys_url``."""
    key = RSAKey.generate_key(2048, {"kid": "e2e"})
    body = json.dumps({"keys": [key.as_dict(private=False)]}).encode()

    class Keys(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keys) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Google(f"http://127.0.0.1:{server.server_port}/certs", key)
        finally:
            server.shutdown()
            thread.join()


def invited_by_others(inn: RunningInn) -> list[str]:
    """Two organisations of other people, which have invited the owner of ours; their ids.

    A house begins with one organisation and has no operation to make others, so these are written into its database.
    """
    others = ["org-other-1", "org-other-2"]
    line = sqlite3.connect(inn.data / "innkeeper.db", timeout=10)
    try:
        with line:
            for org_id in others:
                line.execute(
                    "insert into orgs (id, name, created_at, memory_mb, connections, log_hours, cloud_baseline)"
                    " values (?, ?, 0, 8192, 1024, 72, 10)",
                    (org_id, f"Studio {org_id}"),
                )
                (grants,) = line.execute("select grants from members where email = ?", (OWNER,)).fetchone()
                line.execute("insert into invites values (?, ?, ?, ?, 0)", (org_id, OWNER, grants, "else@example.com"))
    finally:
        line.close()
    return others
