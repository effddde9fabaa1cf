"""``innkeeper up`` as a program: the first start, later ones, ends of all kinds, and what keeps it from starting."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from inns import PATIENCE, RunningInn, clean_environment, until

from .conftest import EXAMPLE, Line


def run(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "innkeeper", *map(str, arguments)], env=clean_environment(env),
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


def refused(*arguments: str | Path, env: dict[str, str] | None = None, code: int = 1) -> str:
    """Why ``innkeeper up`` does not start."""
    done = run("up", *arguments, env=env)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("innkeeper: ")
    return done.stderr


def started(folder: Path, said: Callable[[int], bytes], out: int, *options: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start it with an output of ours; what it said until it told how to end it."""
    program = subprocess.Popen(
        [sys.executable, "-m", "innkeeper", "up", "--data", str(folder / "data"), "--port", "0", *options],
        stdout=out, stderr=subprocess.DEVNULL, env=clean_environment(),
    )  # fmt: skip
    text = b""
    while b"Ctrl-C" not in text:
        piece = said(4096)
        assert piece
        text += piece
    return program, text.decode().replace("\r\n", "\n").strip()


def said_without_a_terminal(house: RunningInn, *options: str) -> str:
    """What ``up`` says on a pipe; it is ended as soon as it is open."""
    reads, writes = os.pipe()
    program, text = started(house.folder, lambda size: os.read(reads, size), writes, *options)
    os.close(writes)
    program.terminate()
    assert program.wait(PATIENCE) == 0
    os.close(reads)
    return text


def test_a_first_start_on_a_terminal_shows_the_token_and_a_second_does_not(house: RunningInn) -> None:
    ours, theirs = pty.openpty()
    try:
        for first in (True, False):
            program, text = started(house.folder, lambda size: os.read(ours, size), theirs)
            program.send_signal(signal.SIGINT)
            assert program.wait(PATIENCE) == 0
            file = house.data / "credentials.json"
            credentials = json.loads(file.read_text())
            assert credentials["url"] in text
            assert (credentials["token"] in text) is first
            assert (str(file) in text) is first
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            if not first:
                assert len(text.splitlines()) == 1
    finally:
        os.close(ours)
        os.close(theirs)


def test_elsewhere_than_on_a_terminal_no_token_is_shown(house: RunningInn) -> None:
    text = said_without_a_terminal(house)
    assert "only in the file below" in text
    assert json.loads((house.data / "credentials.json").read_text())["token"] not in text


def test_it_stays_open_when_nobody_reads_what_it_says(house: RunningInn) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "innkeeper", "up", "--data", str(house.data), "--port", "0"]
    with subprocess.Popen(
        command, env=clean_environment(), stdout=writes, stderr=subprocess.PIPE, text=True
    ) as program:
        os.close(writes)
        assert program.stderr is not None
        until((house.data / "credentials.json").exists)
        house.url = json.loads((house.data / "credentials.json").read_text())["url"]
        until(house.is_healthy)
        program.terminate()
        assert "Innkeeper has ended" in program.stderr.read()


def test_servers_run_on_and_the_next_start_takes_them_over(house: RunningInn) -> None:
    house.start()
    innkeeper = Line(house)
    innkeeper("deploy", EXAMPLE, "--app", "first", "--create-app", "--port", "ws:7778/tcp")
    innkeeper("rooms", "create", "--wait", "--room-id", "lasting")
    before = innkeeper.json("processes", "list")
    house.stop()
    assert "1 game server runs on" in house.log
    assert "processes stop --all" in house.log
    house.start()
    assert innkeeper.json("processes", "list") == before
    house.kill()
    house.start()
    assert innkeeper.json("processes", "list") == before
    assert innkeeper.json("rooms", "info", "lasting")["status"] == "active"
    innkeeper("processes", "stop", "--all")
    until(lambda: innkeeper.json("processes", "list") == [])
    house.stop()
    assert house.log.splitlines()[-1] == "Innkeeper has ended. No game server runs."


def test_an_engine_that_does_not_answer_is_named(house: RunningInn) -> None:
    text = said_without_a_terminal(house, "--container-engine", f"unix://{house.folder}/none.sock")
    engine = f"containers by unix://{house.folder}/none.sock, which does not answer now"
    assert f"  servers run   as programs; as {engine}\n" in text


def test_a_restart_tells_what_it_found(house: RunningInn) -> None:
    house.start()
    house.run("deploy", EXAMPLE, "--app", "first", "--create-app", "--port", "ws:7778/tcp")
    house.run("rooms", "create", "--wait")
    house.stop()
    text = said_without_a_terminal(house)
    assert "It took over 1 game server. Ctrl-C ends it" in text


def test_a_certificate_of_ones_own(house: RunningInn) -> None:
    key, certificate = house.folder / "key.pem", house.folder / "certificate.pem"
    make_certificate(key, certificate)
    reads, writes = os.pipe()
    tls = ("--tls-key", str(key), "--tls-certificate", str(certificate))
    program, text = started(house.folder, lambda size: os.read(reads, size), writes, *tls)
    try:
        assert "https://" in text
        refused = run("apps", "list", "--data", house.data)
        assert refused.returncode == 3
        assert "is not trusted (self-signed certificate)" in refused.stderr
        assert "SSL_CERT_FILE" in refused.stderr
        trusted = run("apps", "list", "--data", house.data, env={"SSL_CERT_FILE": str(certificate)})
        assert trusted.returncode == 0, trusted.stderr
    finally:
        program.terminate()
        program.wait(PATIENCE)
        os.close(reads)
        os.close(writes)


def make_certificate(key: Path, certificate: Path) -> None:
    """A certificate for 127.0.0.1 that nobody but its owner signed."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(private, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    key.write_bytes(private.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    certificate.write_bytes(signed.public_bytes(form))


def test_a_new_admin_token_while_it_runs(house: RunningInn) -> None:
    house.start()
    innkeeper, old = Line(house), house.token
    innkeeper("apps", "list")
    assert "credentials.json" in innkeeper("tokens", "reset", "--data", house.data).stdout
    new = json.loads((house.data / "credentials.json").read_text())
    assert new["url"] == house.url
    innkeeper("apps", "list")
    until(lambda: innkeeper.code("apps", "list", "--token", old) == 5, what="the end of the old token")


def test_a_start_without_the_credentials_says_how_to_make_new_ones(house: RunningInn) -> None:
    house.start()
    house.stop()
    (house.data / "credentials.json").unlink()
    command = [sys.executable, "-m", "innkeeper", "up", "--data", str(house.data), "--port", "0"]
    with subprocess.Popen(command, env=clean_environment(), stderr=subprocess.PIPE, text=True) as program:
        assert program.stderr is not None
        while "innkeeper tokens reset" not in (line := program.stderr.readline()):
            assert line, "it has ended without saying so"
        program.terminate()
        program.stderr.read()
    house.run("tokens", "reset", "--data", house.data)
    house.start()
    Line(house)("apps", "list")


def test_what_keeps_it_from_starting(house: RunningInn, tmp_path: Path) -> None:
    house.start()
    assert "another Innkeeper runs on" in refused("--data", house.data, "--port", "0")
    assert "choose another with --port" in refused("--data", tmp_path / "a", "--port", str(house.port))
    assert "choose another with --host" in refused("--data", tmp_path / "a", "--host", "192.0.2.1")
    assert "choose another with --host" in refused("--data", tmp_path / "a", "--host", "no.such.host.invalid")
    assert "8.8.8.8 is no address of this machine; choose another with --host" in refused(
        "--data", tmp_path / "a", "--host", "8.8.8.8"
    )
    told = refused("--data", tmp_path / "a", "--port", "70000", code=2)
    assert "--port: write a port, or 0 for a free one, from 0 to 65535" in told
    unreachable = "postgresql://nobody:hidden@127.0.0.1:1/x"
    told = refused("--data", tmp_path / "a", "--port", "0", env={"INNKEEPER_DATABASE": unreachable})
    assert "127.0.0.1:1/x cannot be reached" in told
    assert "hidden" not in told
    assert "postgresql://USER@HOST/NAME" in refused(
        "--data", tmp_path / "a", "--port", "0", "--database", "mysql://x", code=2
    )
    assert "set both or none" in refused("--data", tmp_path / "a", "--port", "0", "--tls-key", "x", code=2)
    tls = ("--tls-key", tmp_path / "key", "--tls-certificate", tmp_path / "cert")
    told = refused("--data", tmp_path / "a", "--port", "0", *tls)
    assert f"tls_certificate: {tmp_path / 'cert'} cannot be read: No such file or directory; tls_key: {tmp_path}" in (
        told
    )
    alone = refused("--data", tmp_path / "a", "--port", "0", "--server-tls-key", "x", code=2)
    assert "server_tls_certificate and server_tls_key go together" in alone
    tls = ("--server-tls-key", tmp_path / "key", "--server-tls-certificate", tmp_path / "cert")
    told = refused("--data", tmp_path / "a", "--port", "0", *tls)
    assert f" server_tls_certificate: {tmp_path / 'cert'} cannot be read: No such file" in told
    assert f"invoice_font: {__file__} is no TrueType font" in refused(
        "--data", tmp_path / "a", "--port", "0", "--invoice-font", __file__
    )
    assert "--keep-hours: write a number from" in refused("--data", tmp_path / "a", "--keep-hours", "-5", code=2)
    assert "--log-level: write one of" in refused(
        "--data", tmp_path / "a", "--port", "0", "--log-level", "loud", code=2
    )
    (tmp_path / "file").touch()
    assert "cannot be made" in refused("--data", tmp_path / "file" / "below", "--port", "0")
    (tmp_path / "wrong.toml").write_text('hots = "x"\n')
    assert "hots" in refused("--config", tmp_path / "wrong.toml", "--data", tmp_path / "a", "--port", "0", code=2)
    said = refused("--data", tmp_path / "a", code=2, env={"INNKEEPER_PORT": "many", "INNKEEPER_PRT": "1"})
    assert "INNKEEPER_PORT: write a whole number, not 'many'" in said
    assert "INNKEEPER_PRT in the environment is no setting; did you mean INNKEEPER_PORT?" in said
    assert "no client can ask for 'berlin'; there is: seattle, " in refused(
        "--data", tmp_path / "a", "--locations", "berlin,tokyo", code=2
    )


def test_settings_come_from_the_command_line_the_environment_and_the_file(house: RunningInn) -> None:
    house.data.mkdir()
    (house.data / "innkeeper.toml").write_text('locations = ["tokyo", "london"]\norganisation = "From the file"\n')
    house.settings["organisation"] = "From the line"
    house.start()
    with socket.create_connection(("127.0.0.1", house.port), timeout=PATIENCE):
        pass
    client = house.client()
    assert client.organizations_v1.get_orgs().orgs[0].name == "From the line"
    assert {str(ping.region) for ping in client.discovery_v2.get_ping_service_endpoints()} == {"Tokyo", "London"}
