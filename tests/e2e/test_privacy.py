"""What a game server can see of the Innkeeper that runs it: nothing, where Innkeeper is root and so can shut it out."""

from __future__ import annotations

import os

import pytest

from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.hathora.words import Region
from inns import running_inn

from .games import PERL, TINY, deploy

SPY = """
cd /
for file in $(cat "$HATHORA_SPY"); do
    if cat "$file" >/dev/null 2>&1 || ls "$file/" >/dev/null 2>&1; then echo "SAW $file"; fi
    if touch "$file/x" 2>/dev/null || (: >>"$file") 2>/dev/null; then echo "WROTE $file"; fi
done
echo looked at $(wc -l <"$HATHORA_SPY") places
exec "$1" "$2/server.pl"
"""


@pytest.mark.skipif(os.getuid() != 0, reason="as a plain user, servers run as that user")
def test_a_server_reads_nothing_of_the_data_folder() -> None:
    with running_inn() as inn, inn.client() as client:
        files = {"Procfile": f"server: sh spy.sh {PERL} $PWD\n", "spy.sh": SPY, "server.pl": TINY}
        listing = inn.folder / "places"
        app_id = deploy(inn, "spy", files, env={"HATHORA_SPY": str(listing)})
        (inn.data / "innkeeper.toml").touch(mode=0o600)
        places = [inn.data, *(place for place in inn.data.rglob("*") if "builds/" not in str(place))]
        names = {place.name for place in places}
        assert {"innkeeper.db", "innkeeper.db-wal", "secret.key", "builds", "uploads", "logs"} <= names
        listing.write_text("".join(f"{place}\n" for place in places))
        room = client.rooms_v2.create_room(CreateRoomParams(region=Region.TOKYO), app_id)
        client.wait_until_active(room.room_id, app_id)
        told = client.logs_v1.download_log_for_process(room.process_id, app_id)
        with told:
            said = told.read().decode()
    assert f"looked at {len(places)} places" in said
    assert "SAW" not in said
    assert "WROTE" not in said
