"""The output of several real programs as one stream, over HTTP."""

from __future__ import annotations

import re
import threading
import urllib.request
from collections import defaultdict

from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.hathora.words import Region
from inns import RunningInn, running_inn, until

from .games import PERL, deploy

#: Prints lines in two halves as fast as it can, a few hundred each second; binds its port first.
CHATTY = r"""
use strict; use Socket; use Time::HiRes qw(sleep);
socket(my $s, AF_INET, SOCK_DGRAM, 0) or die $!;
bind($s, pack_sockaddr_in($ENV{PORT}, INADDR_LOOPBACK)) or die $!;
$| = 1;
my $us = $ENV{HATHORA_PROCESS_ID};
for (my $n = 0; ; $n++) { print "$us "; sleep(0.002); print "line $n of many that are printed in halves\n"; }
"""
ROOM = CreateRoomParams(region=Region.TOKYO)
LINE = re.compile(rb"([0-9a-f-]{36}) line (\d+) of many that are printed in halves")


def opened(inn: RunningInn, path: str) -> urllib.request.Request:
    return urllib.request.Request(inn.url + path, headers={"Authorization": f"Bearer {inn.token}"})


def test_many_programs_are_read_as_one_and_no_line_is_torn_or_lost() -> None:
    with running_inn(log_level="info") as inn, inn.client() as client:
        app_id = deploy(inn, "chatty", {"Procfile": f"server: {PERL} chatty.pl\n", "chatty.pl": CHATTY})
        made = [client.rooms_v2.create_room(ROOM, app_id) for _ in range(3)]
        for room in made:
            client.wait_until_active(room.room_id, app_id, every=0.05)
        heard: defaultdict[str, list[int]] = defaultdict(list)
        wrong: list[bytes] = []
        answer = urllib.request.urlopen(opened(inn, f"/logs/v1/{app_id}/all?follow=true&tailLines=5"), timeout=60)

        def read() -> None:
            for line in answer:
                found = LINE.fullmatch(line.rstrip(b"\n"))
                if found is None:
                    wrong.append(line)
                else:
                    heard[found[1].decode()].append(int(found[2]))

        reader = threading.Thread(target=read)
        reader.start()
        until(lambda: len(heard) == 3, what="that all are heard")
        late = client.rooms_v2.create_room(ROOM, app_id)
        until(lambda: len(heard[late.process_id]) > 50, what="that one who started later is heard")
        client.processes_v3.stop_process(made[0].process_id, app_id)
        until(
            lambda: client.processes_v3.get_process(made[0].process_id, app_id).terminated_at is not None,
            what="that one has ended",
        )
        counts = {process_id: len(numbers) for process_id, numbers in heard.items()}
        for room in (*made[1:], late):
            until(lambda room=room: len(heard[room.process_id]) > counts[room.process_id] + 100, what="that it goes on")
        assert wrong in ([], [f"{made[0].process_id} \n".encode()])  # what the one that ended left unfinished
        assert set(heard) == {room.process_id for room in (*made, late)}
        for process_id, numbers in heard.items():
            seen = list(numbers)
            assert seen == list(range(seen[0], seen[0] + len(seen))), process_id
        assert heard[late.process_id][0] == 0, "from its first line"

        with urllib.request.urlopen(opened(inn, f"/logs/v1/{app_id}/all?tailLines=5000"), timeout=60) as answer_now:
            lines = answer_now.read().splitlines()
        order = list(dict.fromkeys(line.split()[0].decode() for line in lines))
        assert order == [room.process_id for room in (*made, late)], "the oldest server first"
        with urllib.request.urlopen(opened(inn, f"/logs/v1/{app_id}/deployment/1?tailLines=7"), timeout=60) as one:
            told = one.read().splitlines()
        assert len(told) == 7
        assert {line.split()[0].decode() for line in told} == {late.process_id}

        inn.stop()  # who follows holds up no stop
        reader.join(20)
        assert not reader.is_alive()
        assert "Traceback" not in inn.log, inn.log
        assert "ERROR" not in inn.log, inn.log
