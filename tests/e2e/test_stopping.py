"""An operator stops Innkeeper while people are connected."""

from __future__ import annotations

import threading

from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.hathora.words import Region
from inns import running_inn, until

from .games import deploy, tiny


def test_who_follows_a_log_holds_up_no_stop() -> None:
    with running_inn(log_level="info") as inn, inn.client() as client:
        app_id = deploy(inn, "followed", tiny())
        room = client.rooms_v2.create_room(CreateRoomParams(region=Region.TOKYO), app_id)
        client.wait_until_active(room.room_id, app_id)
        heard: list[bytes] = []

        def follow() -> None:
            with client.logs_v1.get_logs_for_process(room.process_id, app_id, follow=True) as log:
                heard.extend(log)
            heard.append(b"the end")

        followers = [threading.Thread(target=follow) for _ in range(3)]
        for follower in followers:
            follower.start()
        until(lambda: len(heard) >= len(followers), what="that all follow")
        inn.stop()  # with SIGTERM, which Innkeeper answers by ending in order
        for follower in followers:
            follower.join(10)
        assert heard.count(b"the end") == len(followers)
        assert "Traceback" not in inn.log
        assert "ERROR" not in inn.log, inn.log  # uvicorn ends tasks that take too long, and says so
        inn.start()
        assert client.rooms_v2.get_connection_info(room.room_id, app_id).status == "active"
