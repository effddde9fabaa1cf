"""What is sent to a container engine to build an image from: programs of this machine with all that they load.

No registry is asked: images begin ``FROM scratch``. Used by every test that runs containers, and by the benchmark.
"""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

_LIBRARY = re.compile(r"(/\S+) \(0x")
_LEFT_OUT = ("__pycache__", "/test/", "/tests/", "/idlelib/", "/tkinter/", "/ensurepip/", "/lib2to3/")


@lru_cache(maxsize=64)
def libraries(program: Path) -> frozenset[Path]:
    """The shared libraries that a program loads, and the loader; none for a static one."""
    told = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return frozenset(Path(name) for name in _LIBRARY.findall(told))


def image_files(programs: Iterable[Path], folders: Iterable[Path] = ()) -> dict[str, Path]:
    """The files of an image, by their place in it: programs, what they load, and folders with all that is in them."""
    found: dict[str, Path] = {}
    for program in programs:
        for one in (program, *libraries(program)):
            found[str(one)] = one
    for folder in folders:
        for one in sorted(folder.rglob("*")):
            if one.is_file() and not any(part in f"{one}/" for part in _LEFT_OUT):
                found[str(one)] = one
                if one.suffix == ".so":
                    found |= {str(library): library for library in libraries(one)}
    return found


def tarball(files: Mapping[str, Path | bytes | str], *, gzipped: bool = True) -> bytes:
    """A tar of these files, which all may be executed; links are followed."""
    packed = io.BytesIO()
    with (
        tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1)
        if gzipped
        else tarfile.open(fileobj=packed, mode="w")
    ) as tar:
        for name, content in files.items():
            data = content.read_bytes() if isinstance(content, Path) else content
            data = data.encode() if isinstance(data, str) else data
            entry = tarfile.TarInfo(name.lstrip("/"))
            entry.size, entry.mode = len(data), 0o755
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def context(
    dockerfile: str,
    programs: Iterable[Path],
    folders: Iterable[Path] = (),
    more: Mapping[str, bytes | str] | None = None,
) -> bytes:
    """A tar.gz to build from. In it, ``root/`` is what the image has: ``COPY root/ /`` brings it all in."""
    files: dict[str, Path | bytes | str] = {"Dockerfile": dockerfile}
    files |= {f"root{place}": file for place, file in image_files(programs, folders).items()}
    files |= {f"root/{place.lstrip('/')}": content for place, content in (more or {}).items()}
    return tarball(files)


TEEWORLDS = Path("/usr/games/teeworlds-server")
BZFS = Path("/usr/games/bzfs")
PERL = Path("/usr/bin/perl")

#: As a studio ships it: no word about Innkeeper, its own port, its own command.
TEEWORLDS_DOCKERFILE = """\
FROM scratch
COPY root/ /
ENV HOME=/tmp
EXPOSE 8303/udp
CMD ["/usr/games/teeworlds-server", "sv_port 8303", "sv_register 0", "sv_name inn in a container"]
"""
TEEWORLDS_PORT = 8303

#: Answers every packet with the id of its server. ``exit N`` ends it, ``eat`` makes it need more memory than it has.
ECHO = r"""
use strict; use Socket;
socket(my $s, AF_INET, SOCK_DGRAM, 0) or die $!;
bind($s, pack_sockaddr_in(7777, INADDR_ANY)) or die $!;
$| = 1; print "started $ENV{HATHORA_PROCESS_ID}\n";
$SIG{TERM} = sub { print "bye\n"; exit 0 };
while (1) {
    my $from = recv($s, my $packet, 1024, 0);
    next unless defined $from;
    exit(int(substr($packet, 5))) if $packet =~ /^exit /;
    if ($packet eq "eat") { my @all; push @all, "x" x 1048576 while 1 }
    send($s, $ENV{HATHORA_PROCESS_ID}, 0, $from);
}
"""
ECHO_DOCKERFILE = """\
FROM scratch
COPY root/ /
CMD ["/usr/bin/perl", "/echo.pl"]
"""
ECHO_PORT = 7777


BZFLAG_DOCKERFILE = """\
FROM scratch
COPY root/ /
CMD ["/usr/games/bzfs", "-p", "5154", "-q", "-j"]
"""
BZFLAG_PORT = 5154


def teeworlds_context(ballast: bytes = b"") -> bytes:
    """A real game server that nobody here wrote, which listens on UDP."""
    shared = [folder for folder in (Path("/usr/share/games/teeworlds"),) if folder.is_dir()]
    return context(TEEWORLDS_DOCKERFILE, [TEEWORLDS], shared, {"tmp/ballast": ballast})


def bzflag_context() -> bytes:
    """Another, which listens on TCP."""
    return context(BZFLAG_DOCKERFILE, [BZFS], more={"tmp/.keep": ""})


def echo_context() -> bytes:
    """A server of a few lines."""
    base = next(Path("/usr/lib").glob("*-linux-gnu/perl-base"))
    return context(ECHO_DOCKERFILE, [PERL], [base], {"echo.pl": ECHO})
