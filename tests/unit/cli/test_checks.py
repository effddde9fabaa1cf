"""What is said before the house is opened: files that cannot be used, and where servers will run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from certificates import Authority
from innkeeper.billing.pdf import USUAL_FONTS
from innkeeper.cli.checks import check_font, check_locations, tls_faults
from innkeeper.cli.failures import Failure
from innkeeper.cli.up import ways
from innkeeper.placespecs import PlaceSpec
from innkeeper.settings import Settings

NONE = Settings(container_engine="none")


@pytest.mark.parametrize(
    ("runs", "has_images", "settings", "told"),
    [
        (["programs"], False, Settings(),
         "as programs; builds need a Procfile, as of container engines none was found"),
        (["programs"], False, NONE, "as programs; builds need a Procfile, as of container engines none is used"),
        (["programs", "containers by Docker 27"], True, Settings(), "as programs; as containers by Docker 27"),
        (["containers by Docker 27"], True, Settings(programs=False), "as containers by Docker 27"),
        ([], False, Settings(programs=False),
         "nowhere yet: programs are off (programs = false), and of container engines none was found here; set one of"
         " the two, or take a machine in with `innkeeper hosts add`"),
    ],
)  # fmt: skip
def test_how_servers_run(runs: list[str], has_images: bool, settings: Settings, told: str) -> None:
    assert ways(runs, has_images=has_images, settings=settings) == told


def _encrypted(path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda one, other: (one.certificate, one.key), []),
        (lambda one, other: (one.certificate.with_name("none"), one.key), ["c: {0} cannot be read: No such file"]),
        (lambda one, other: (one.certificate.with_name("no"), one.key.with_name("none")),
         ["c: {0} cannot be read: No such file", "k: {1} cannot be read: No such file"]),
        (lambda one, other: (one.key, one.certificate),
         ["c: {0} is no certificate: it has to be PEM", "k: {1} is no private key: it has to be PEM"]),
        (lambda one, other: (one.certificate, other.key), ["c and k: {0} and {1} cannot be used: "]),
        (lambda one, other: (one.certificate, one.key.with_name("shut")), ["k: {1} is encrypted; Innkeeper needs it"]),
        (lambda one, other: (one.certificate.parent, one.key), ["c: {0} cannot be read: Is a directory"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_certificate_and_its_key_is_told_of_each(
    make: Callable[..., tuple[Path, Path]], told: list[str], tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    one, other = (authority.identity(name, "127.0.0.1") for name in ("one", "other"))
    _encrypted(one.key.with_name("shut"))
    certificate, key = make(one, other)
    faults = tls_faults("c", str(certificate), "k", str(key))
    assert len(faults) == len(told)
    for fault, beginning in zip(faults, told, strict=True):
        assert fault.startswith(beginning.format(certificate, key))
        assert "PRIVATE" not in fault


def test_a_font_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "font.ttf").write_bytes(b"\0\1\0\0" + b"no font" * 9)
    for file in ("/etc/passwd", __file__, str(tmp_path / "font.ttf"), str(tmp_path)):
        with pytest.raises(Failure, match=f"^invoice_font: {file} is no TrueType font"):
            check_font(Settings(invoice_font=file))
    check_font(Settings())
    for font in USUAL_FONTS:
        if Path(font).is_file():
            check_font(Settings(invoice_font=font))


def test_hosts_serve_regions_and_places() -> None:
    place = PlaceSpec(name="montreal", latitude=45.5, longitude=-73.57)
    here = frozenset({"montreal", "tokyo"})
    check_locations(Settings(locations=here, places=(place,)))
    check_locations(Settings(locations=here, places=(place,), default_places=False))  # Tokyo is a region still
    refused = r"^locations: no client can ask for 'montreal'; there is: seattle, .*\[\[places\]\]"
    with pytest.raises(Failure, match=refused):
        check_locations(Settings(locations=here))
