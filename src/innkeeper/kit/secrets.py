"""Secrets: hashing and comparing them, keeping them sealed on disk, and links that are proof of themselves.

``accounts`` hashes tokens with it, ``inn.py`` loads the house's key and hands a :class:`Box` to the wings that store
secrets, and build uploads are signed links. No secret is ever part of a ``repr``, a log line or an error here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import HouseError, Unauthorized

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

#: Bytes of the house's key, and of every key derived from it.
KEY_BYTES = 32
#: What every sealed value starts with. A new way of sealing gets a new word, and ``Box.open`` goes on reading the old.
_SEALED = "sealed1"
_NONCE_BYTES = 12


class WrongKey(HouseError):
    """A sealed value was sealed with a key that is not at hand."""


class NotSealedHere(HouseError):
    """A sealed value was changed, cut, or moved from the place it was sealed for."""


class BadKey(HouseError):
    """The key that was handed in, or its file, is not a key. The text says where it came from, never what it holds."""


def digest(secret: str) -> str:
    """What is stored of a token instead of the token: SHA-256 in hexadecimal.

    A slow, salted hash protects what people can guess. Our tokens hold more than 256 random bits: nothing to guess,
    and the look-up is on the path of every request.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell how much of them is."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def derive_key(key: bytes, purpose: str) -> bytes:
    """A key for one purpose, made from the house's key: what leaks from one purpose does not help in another."""
    return hmac.digest(key, b"innkeeper:" + purpose.encode(), "sha256")


class Box:
    """Seals texts for the database with AES-256-GCM.

    ``place`` names where a value is kept (table, column, id): a sealed value opens only for the place it was sealed
    for, so that nobody who can write to the database can swap two of them. To change the key, hand the new one in as
    ``key`` and the earlier ones as ``older``: new values are sealed with the new one and all can be opened.
    """

    def __init__(self, key: bytes, older: Sequence[bytes] = (), *, nonces: Callable[[int], bytes] = os.urandom) -> None:
        for each in (key, *older):
            if len(each) != KEY_BYTES:
                raise BadKey(f"a key must be {KEY_BYTES} bytes, and this one has {len(each)}")
        self._keys = {_name_of(each): each for each in (*older, key)}
        self._name = _name_of(key)
        self._nonces = nonces
        self._ciphers: dict[str, AESGCM] = {}

    def __repr__(self) -> str:
        return f"Box(key {self._name})"

    def seal(self, text: str, place: str) -> str:
        """The text, unreadable without the key. Sealing the same text twice gives two different values."""
        nonce = self._nonces(_NONCE_BYTES)
        closed = self._cipher(self._name).encrypt(nonce, text.encode("utf-8", "surrogatepass"), place.encode())
        return f"{_SEALED}.{self._name}.{_to_text(nonce + closed)}"

    def open(self, sealed: str, place: str) -> str:
        """The text that was sealed for this place. Raises :class:`WrongKey` or :class:`NotSealedHere`."""
        from cryptography.exceptions import InvalidTag

        word, _, rest = sealed.partition(".")
        name, _, value = rest.partition(".")
        if word != _SEALED:
            raise NotSealedHere(f"the value at {place} is not a sealed one")
        if name not in self._keys:
            raise WrongKey(
                f"the value at {place} was sealed with key {name} and this Innkeeper has {', '.join(self._keys)}: "
                "start it with the secret.key (or INNKEEPER_SECRET_KEY) that this database was made with"
            )
        try:
            raw = _to_bytes(value)
            opened = self._cipher(name).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError):
            # The cause is dropped: it tells nothing, and might one day show the value.
            raise NotSealedHere(f"the value at {place} was changed, or was sealed for another place") from None
        return opened.decode("utf-8", "surrogatepass")

    def _cipher(self, name: str) -> AESGCM:
        cipher = self._ciphers.get(name)
        if cipher is None:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            cipher = self._ciphers[name] = AESGCM(self._keys[name])
        return cipher


def sign(key: bytes, text: str, expires: int) -> str:
    """A word for a URL that proves that we said ``text``, until ``expires`` (microseconds since the epoch).

    The text can be read by whoever holds the link; it cannot be changed.
    """
    said = f"{_to_text(text.encode('utf-8', 'surrogatepass'))}.{expires}"
    return f"{said}.{_mark(key, said)}"


def verify(key: bytes, link: str, now: int) -> str:
    """The text of a signed word. Raises :class:`Unauthorized` when it is not ours or its time is over."""
    said, _, mark = link.rpartition(".")
    if not same(mark, _mark(key, said)):
        raise Unauthorized("this link is not one that was handed out here")
    text, _, expires = said.partition(".")
    if now >= int(expires):
        raise Unauthorized("this link's time is over; ask for a new one")
    return _to_bytes(text).decode("utf-8", "surrogatepass")


def load_key(folder: Path, setting: str | None = None) -> bytes:
    """The house's key: from ``setting`` (base64) where it is given, else from ``folder/secret.key``, made if missing.

    Blocks on the disk; called once at start. Raises :class:`BadKey` when what is found is not a key.
    """
    if setting:
        return _read_key(setting, "INNKEEPER_SECRET_KEY")
    path = folder / "secret.key"
    if not path.exists():
        write_private(path, base64.b64encode(os.urandom(KEY_BYTES)) + b"\n", replace=False)
    return _read_key(read_private(path).decode("ascii", "replace"), str(path))


def write_private(path: Path, data: bytes, *, replace: bool) -> bool:
    """Write a file that only its owner can read, whole or not at all, and on disk when this returns.

    Without ``replace`` a file that is there already stays, and False is returned.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # made with mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            Path(name).replace(path)
        else:
            path.hardlink_to(name)  # unlike a rename it refuses to replace: of two first starts, one wins
    except FileExistsError:
        return False
    finally:
        Path(name).unlink(missing_ok=True)
    _sync_folder(path.parent)
    return True


def read_private(path: Path) -> bytes:
    """What a private file holds. One that others could read is closed to them first."""
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return path.read_bytes()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_key(text: str, source: str) -> bytes:
    try:
        key = base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise BadKey(f"{source} must hold {KEY_BYTES} bytes in base64, as `openssl rand -base64 {KEY_BYTES}` prints")
    return key


def _name_of(key: bytes) -> str:
    """A short name by which a sealed value says which key it needs. Tells nothing of the key."""
    return derive_key(key, "name").hex()[:8]


def _mark(key: bytes, said: str) -> str:
    return _to_text(hmac.digest(key, said.encode("utf-8", "surrogatepass"), "sha256"))


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _to_bytes(text: str) -> bytes:
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _to_text(data) != text:  # the decoder is lenient; here a value has one spelling
        raise ValueError("not in the one spelling of base64 that is written here")
    return data
