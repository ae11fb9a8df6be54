"""Whose runs are one's own: what a configuration from elsewhere may name, and what yours may.

A run directory says by class paths and arguments what it is made of, and to build that is to import
modules, to call their classes, and to read the files that the arguments name. Yours may do all
that, since you have chosen it: what you write is signed with a key that never leaves your home. A
configuration without your signature may name the classes here, which make networks and numbers, or
read published data sets where you keep them. Anything else needs your word.
"""

import hmac
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

# What these hold does nothing but compute, when it is made and when it is used.
HARMLESS = (
    "disvae.models",
    "disvae.likelihoods",
    "disvae.losses",
    "disvae.schedules",
    "disvae.divergence",
    "torchvision.models",
)
KEY_BYTES = 32

_given: ContextVar[tuple[str, ...]] = ContextVar("given", default=())


@contextmanager
def trusting(names: Sequence[str]) -> Iterator[None]:
    """Trust packages, modules or classes, by their import path, in all that is opened meanwhile."""
    token = _given.set((*_given.get(), *names))
    try:
        yield
    finally:
        _given.reset(token)


def given() -> tuple[str, ...]:
    """What :func:`trusting` has been told."""
    return _given.get()


def sign(content: bytes) -> str:
    """Your signature of a file that you write."""
    return hmac.new(_key(), content, "sha256").hexdigest()


def is_mine(content: bytes, signature: str) -> bool:
    """Whether you have signed that; False where no key can be kept."""
    try:
        return hmac.compare_digest(sign(content), signature)
    except (OSError, TypeError):  # compare_digest wants ASCII
        return False


def _key() -> bytes:
    """The key in $DISVAE_KEY or ``~/.disvae/key``; made when it is first wanted."""
    file = Path(os.environ.get("DISVAE_KEY") or "~/.disvae/key").expanduser()
    try:
        key = file.read_bytes()
    except FileNotFoundError:
        file.parent.mkdir(parents=True, exist_ok=True)
        key = os.urandom(KEY_BYTES)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            handle = os.open(file, flags, 0o600)
        except FileExistsError:  # another process was first
            return _key()
        with os.fdopen(handle, "wb") as out:
            out.write(key)
    if len(key) < KEY_BYTES:
        raise OSError(f"{file} is no key: it has {len(key)} bytes; remove it to have one made")
    return key
