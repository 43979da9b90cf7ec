"""The state directory: who owns it, and which format it has.

One process at a time: an advisory lock (flock) on the file `owner`, which also holds the owner's process id for
people. The kernel lets go of the lock when the owner dies, however it dies. The file `format` holds one line,
`trine-kv <version>`; a newer one is refused before anything else is read. In: a path. Out: a held `StateDirectory`.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from threading import Event

from trine.kv.disk import sync_directory, write_durably
from trine.kv.errors import StoreBusy, StoreDamaged, StoreTooNew

FORMAT_VERSION = 1
_FORMAT_WORD = "trine-kv"
_HELPER_WAIT_SECONDS = 30.0
_HELPER_STEP_SECONDS = 0.02


class StateDirectory:
    """A directory this process owns until `release`."""

    def __init__(self, path: Path, owner: int) -> None:
        self.path = path
        self._owner = owner

    @property
    def owner_descriptor(self) -> int:
        """The locked file: a helper process that inherits it keeps the directory owned until it has ended."""
        return self._owner

    def release(self) -> None:
        """Let another process have the directory."""
        if self._owner >= 0:
            os.close(self._owner)
            self._owner = -1


def take(path: str | os.PathLike[str]) -> StateDirectory:
    """Own the state directory at `path`, making it when it is not there.

    Raises StoreBusy (another process owns it; its id is in the message), StoreTooNew, StoreDamaged, or OSError when
    the directory cannot be made or written.
    """
    directory = Path(path)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = os.open(directory / "owner", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(owner, directory)
        os.ftruncate(owner, 0)
        os.pwrite(owner, b"%d\n" % os.getpid(), 0)
        _check_format(directory)
    except BaseException:
        os.close(owner)
        raise
    return StateDirectory(directory, owner)


def read_format(directory: Path) -> int | None:
    """The format version of the state in `directory`, None when it holds none; StoreDamaged, StoreTooNew."""
    file = directory / "format"
    try:
        words = file.read_text("ascii", "replace").split()
    except FileNotFoundError:
        return None
    if len(words) != 2 or words[0] != _FORMAT_WORD or not words[1].isdecimal():
        raise StoreDamaged(f"{file} is not a Trine format file; restore it or the directory from a copy")
    version = int(words[1])
    if version > FORMAT_VERSION:
        raise StoreTooNew(
            f"{directory} was written by a newer Trine (format {version}, this one knows {FORMAT_VERSION}): "
            "upgrade Trine"
        )
    return version


def write_format(directory: Path) -> None:
    """Write the format file durably, all or nothing."""
    write_durably(directory / "format", f"{_FORMAT_WORD} {FORMAT_VERSION}\n".encode())


def _keep_names(directory: Path) -> None:
    """The names of a new state directory and of the one around it, which may be new too, are on disk afterwards."""
    for parent in (directory.parent, directory.parent.parent):
        with suppress(PermissionError):  # what this user may not read was not made by this user
            sync_directory(parent)


def _check_format(directory: Path) -> None:
    if read_format(directory) is None:
        strangers = sorted(child.name for child in directory.iterdir() if child.name not in ("owner", "format.draft"))
        if strangers:
            raise StoreDamaged(
                f"{directory} has no format file but holds {', '.join(strangers[:3])}: "
                "it is not a state directory of Trine, or its format file was lost; choose an empty directory"
            )
        _keep_names(directory.absolute())
        write_format(directory)


def _lock(owner: int, directory: Path) -> None:
    """Take the lock; when its named owner is dead, a helper of it is finishing: wait for that, bounded."""
    patience = _HELPER_WAIT_SECONDS
    while True:
        try:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            text = os.pread(owner, 32, 0).decode("ascii", "replace").strip()
            if not text.isdecimal() or _alive(int(text)) or patience <= 0:
                raise StoreBusy(f"{directory} is in use by process {text or 'unknown'}; stop it first") from None
            Event().wait(_HELPER_STEP_SECONDS)
            patience -= _HELPER_STEP_SECONDS


def _alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
