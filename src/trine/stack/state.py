"""The state directory of a stack: its durable store opened, verified, compacted and forked.

Here the store's faults become `StateFault`, so that whoever starts a stack or looks after its state knows one error.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trine.aws.ids import SystemIds
from trine.clock import Clock
from trine.cognito.user_pools import KEY_FILE
from trine.http.answer import Answer
from trine.kv import maintenance
from trine.kv.disk import sync_directory, write_durably
from trine.kv.durable import DurableStore
from trine.kv.errors import StoreError
from trine.kv.maintenance import Verification
from trine.kv.memory import MemoryStore
from trine.kv.store import Store
from trine.stack.observing import USAGE_DIRECTORY

STORE = "store"
SECRETS_FILE, SECRETS_KEY_BYTES = "secrets.key", 32


class StateFault(Exception):
    """The state cannot be used; the message names the file or process and what to do."""


@contextmanager
def store_faults() -> Iterator[None]:
    """What the store or the disk refuses inside becomes a StateFault."""
    try:
        yield
    except (StoreError, OSError) as error:
        raise StateFault(str(error)) from error


def own_directory(state_directory: Path) -> None:
    """Make the state directory, or take it, for its owner's eyes alone: it holds secrets. StateFault."""
    with store_faults():
        state_directory.mkdir(parents=True, exist_ok=True)
        state_directory.chmod(0o700)


def secret_key(state_directory: Path) -> bytes:
    """The key with which secrets of a template are made; it lies with the state once it was asked for. StateFault."""
    file = state_directory / SECRETS_FILE
    with store_faults():
        if not file.exists():
            write_durably(file, SystemIds().random_bytes(SECRETS_KEY_BYTES))
        key = file.read_bytes()
    if len(key) != SECRETS_KEY_BYTES:
        raise StateFault(f"{file} holds no key: it has {len(key)} bytes instead of {SECRETS_KEY_BYTES}")
    return key


def open_store(state_directory: Path, clock: Clock, *, memory: bool) -> Store:
    """The store of a stack: in memory, or durable below `state_directory`. StateFault."""
    if memory:
        return MemoryStore(clock)
    with store_faults():
        # Each turn of the loop that an answer waits for has up to 64 requests in it, 3 ms: whoever waits for a commit
        # hears of it at once.
        return DurableStore(state_directory / STORE, clock, new_future=lambda loop: Answer(loop=loop))


def verify(state_directory: Path) -> Verification:
    """Read and check every byte; change nothing. StateFault when it cannot be opened."""
    with store_faults():
        return maintenance.verify(state_directory / STORE)


def compact(state_directory: Path) -> tuple[int, int]:
    """Rewrite the store without free space; its bytes before and after. StateFault."""
    with store_faults():
        return maintenance.compact(state_directory / STORE)


def fork(state_directory: Path, target: Path) -> None:
    """Make `target` a state directory of its own with the same content. StateFault when it exists already."""
    if target.exists():
        raise StateFault(f"{target} exists already; a fork needs a path of its own")
    with store_faults():
        target.mkdir(mode=0o700, parents=True)
        try:
            maintenance.fork(state_directory / STORE, target / STORE)
        except BaseException:
            with suppress(OSError):  # what was made of it says why it is there
                target.rmdir()
            raise
        usage = state_directory / USAGE_DIRECTORY
        if usage.is_dir():  # the store does not hold it: bills are made without opening one
            shutil.copytree(usage, target / USAGE_DIRECTORY)
    for name in (KEY_FILE, SECRETS_FILE):  # with them the fork opens what lies sealed, and has the same secrets
        key = state_directory / name
        if key.exists():
            write_durably(target / name, key.read_bytes())
    sync_directory(target)
    sync_directory(target.absolute().parent)
