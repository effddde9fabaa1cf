"""The passphrase of a file, and the key that is made of it. Called by ``leaving.py`` and ``arriving.py``."""

from __future__ import annotations

import hmac

from innkeeper.kit.errors import HouseError, Invalid
from innkeeper.kit.secrets import KEY_BYTES, Box, derive_key

from .words import Lock

#: How much work each guess of a passphrase is: 128 MiB and about half a second.
COST = 1 << 17
_BLOCK, _LANES = 8, 1
#: What a file may ask of us: 256 MiB.
_MOST_MEMORY = 256 << 20
_MOST_LANES = 4
FEWEST_CHARACTERS = 8
_WORD, _PLACE = "this is the passphrase", "manifest"


class WrongPassphrase(Invalid):
    """The passphrase is not the one that the file was written with."""


def new_lock(passphrase: str, salt: bytes, cost: int = COST) -> tuple[Lock, bytes]:
    """A lock for a new file, and its key. Raises :class:`Invalid` for a passphrase that is too short."""
    if len(passphrase) < FEWEST_CHARACTERS:
        raise Invalid(f"the passphrase must have {FEWEST_CHARACTERS} characters or more: it guards every secret")
    key = _key(passphrase, salt, cost, _BLOCK, _LANES)
    return Lock(salt.hex(), cost, _BLOCK, _LANES, Box(key).seal(_WORD, _PLACE)), key


def key_of(lock: Lock, passphrase: str) -> bytes:
    """The key of a file. Raises :class:`WrongPassphrase`, and :class:`Invalid` for a lock that cannot be one."""
    try:
        salt = bytes.fromhex(lock.salt)
    except ValueError:
        salt = b""
    sound = 1 < lock.n <= _MOST_MEMORY // (128 * 8) and lock.n & (lock.n - 1) == 0 and 1 <= lock.p <= _MOST_LANES
    if not (salt and sound and lock.r >= 1 and 128 * lock.n * lock.r <= _MOST_MEMORY):
        raise Invalid("the file is damaged, or none that `innkeeper export` wrote: its lock cannot be opened")
    key = _key(passphrase, salt, lock.n, lock.r, lock.p)
    try:
        opened = Box(key).open(lock.check, _PLACE)
    except HouseError:
        opened = ""
    if opened != _WORD:
        raise WrongPassphrase("the passphrase is not the one that the file was written with")
    return key


def mac(key: bytes, digest: bytes) -> str:
    """What vouches for a digest."""
    return hmac.digest(derive_key(key, "export checksums"), digest, "sha256").hex()


def _key(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=KEY_BYTES, n=n, r=r, p=p).derive(passphrase.encode("utf-8", "surrogatepass"))
