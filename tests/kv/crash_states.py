"""What a power cut may leave: a run's file operations as `strace` saw them, and every state a file system may keep.

Enters a trace and the folder that it is about; leaves, operation by operation, an `Image` that can be written out as it
may lie on disk: what was synced, and any part of the rest, in sectors of 512 bytes and names that may come and go in
any order. A directory's names count as synced when the directory was, never by the files in it: so says POSIX.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

SECTOR_BYTES = 512
CALLS = (
    "openat,write,writev,pwrite64,pwritev,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,"
    "ftruncate,link,linkat,sendfile,lseek"
)
TRACING = ("strace", "-f", "-y", "-xx", "-s", "1000000", "-e", f"trace={CALLS}", "-o")
MODES = ("nothing", "everything", "contents", "names", "files", "sectors")
"""Which of what was not synced is kept: none, all, no names but all contents, the reverse, whole files, any sectors."""
_CALL = re.compile(r"(\w+)\((.*)\)\s+= (\d+)(?:<([^>]*)>)?$")
_TEXT = re.compile(r'"([^"]*)"')
_PLACE = re.compile(r"(\d+)<([^>]*)>")


class File:
    """Contents as programs see them, as they are certainly on disk, and what lies between."""

    def __init__(self) -> None:
        self.seen, self.synced = bytearray(), bytearray()
        self.open: list[tuple[int, bytes | None]] = []
        """(offset, bytes) written, or (length, None) cut or stretched, since the last sync."""

    def write(self, offset: int, content: bytes, *, durable: bool) -> None:
        _put(self.seen, offset, content)
        if durable:
            _put(self.synced, offset, content)
        else:
            self.open.append((offset, content))

    def resize(self, length: int) -> None:
        _stretch(self.seen, length)
        del self.seen[length:]
        self.open.append((length, None))

    def sync(self) -> None:
        self.synced, self.open = bytearray(self.seen), []

    def left(self, target: Path, chance: random.Random, mode: str) -> None:
        """Write it out as a power cut may leave it."""
        found, whole = bytearray(self.synced), chance.random() < 0.5
        always = mode in ("everything", "contents") or (mode == "files" and whole)
        for offset, content in self.open:
            if content is None:
                if always or (mode == "sectors" and chance.random() < 0.5):
                    _stretch(found, offset)
                    del found[offset:]
                continue
            for at in range(0, len(content), SECTOR_BYTES):
                if always or (mode == "sectors" and chance.random() < 0.5):
                    _put(found, offset + at, content[at : at + SECTOR_BYTES])
        target.write_bytes(found)


class Folder:
    """Names as programs see them, as they are certainly on disk, and the changes between."""

    def __init__(self) -> None:
        self.seen: dict[str, File | Folder] = {}
        self.synced: dict[str, File | Folder] = {}
        self.open: list[dict[str, File | Folder | None]] = []
        """Names that a change gave (or took: None), each change whole or not at all, since the last sync."""

    def change(self, names: dict[str, File | Folder | None]) -> None:
        self.open.append(names)
        _rename(self.seen, names)

    def sync(self) -> None:
        self.synced, self.open = dict(self.seen), []

    def left(self, target: Path, chance: random.Random, mode: str) -> None:
        """Write it out as a power cut may leave it."""
        target.mkdir()
        names = dict(self.synced)
        for change in self.open:
            if mode in ("everything", "names") or (mode in ("files", "sectors") and chance.random() < 0.5):
                _rename(names, change)
        for name, entry in names.items():
            entry.left(target / name, chance, mode)


def _rename(names: dict[str, File | Folder], change: dict[str, File | Folder | None]) -> None:
    for name, entry in change.items():
        if entry is None:
            names.pop(name, None)
        else:
            names[name] = entry


def _stretch(content: bytearray, length: int) -> None:
    content.extend(bytes(max(0, length - len(content))))


def _put(content: bytearray, offset: int, piece: bytes) -> None:
    _stretch(content, offset + len(piece))
    content[offset : offset + len(piece)] = piece


class Image:
    """The traced folder. `play` yields after each change what the program had said on its standard output by then."""

    def __init__(self, folder: Path) -> None:
        self.root = Folder()
        self._base = str(folder)
        self._positions: dict[tuple[str, str], int] = {}
        self._durable: set[tuple[str, str]] = set()

    def play(self, trace: Path) -> Iterator[str]:
        """Do what the trace says, operation by operation."""
        said = ""
        for process, call, arguments, result, opened in _calls(trace):
            if call == "write" and arguments.startswith("1<"):
                said += _bytes(arguments).decode()
            elif self._apply(process, call, arguments, result, opened):
                yield said

    def _entry(self, path: str) -> File | Folder | None:
        entry: File | Folder | None = self.root
        for name in path[len(self._base) :].strip("/").split("/"):
            if name:
                entry = entry.seen.get(name) if isinstance(entry, Folder) else None
        return entry

    def _parent(self, path: str) -> tuple[Folder, str]:
        above, _, name = path.rpartition("/")
        folder = self._entry(above)
        assert isinstance(folder, Folder), path
        return folder, name

    def _inside(self, path: str) -> bool:
        return path == self._base or path.startswith(f"{self._base}/")

    def _apply(self, process: str, call: str, arguments: str, result: int, opened: str) -> bool:
        """Whether it changed what may be left."""
        if call == "openat":
            return self._inside(opened) and self._opened((process, str(result)), opened, arguments)
        if call in ("fsync", "fdatasync", "write", "writev", "pwrite64", "pwritev", "ftruncate", "sendfile", "lseek"):
            place = _PLACE.match(arguments)
            if place is None or not self._inside(path := _unescaped(place[2])):
                return False
            entry = self._entry(path)
            if entry is None:  # it has been deleted and is still open
                return False
            return self._written((process, place[1]), entry, call, arguments, result)
        paths = [_unescaped(text) for text in _TEXT.findall(arguments)]
        folder_of_removal = _PLACE.match(arguments)
        if folder_of_removal is not None and not paths[0].startswith("/"):
            paths[0] = f"{_unescaped(folder_of_removal[2])}/{paths[0]}"
        return self._inside(paths[0]) and self._named(call, paths)

    def _opened(self, descriptor: tuple[str, str], path: str, arguments: str) -> bool:
        self._positions[descriptor] = 0
        self._durable.discard(descriptor)
        if "O_DSYNC" in arguments:
            self._durable.add(descriptor)
        entry = self._entry(path)
        if entry is None:
            folder, name = self._parent(path)
            folder.change({name: File()})
            return True
        if "O_TRUNC" in arguments and isinstance(entry, File) and entry.seen:
            entry.resize(0)
            return True
        return False

    def _named(self, call: str, paths: list[str]) -> bool:
        folder, name = self._parent(paths[0])
        if call.startswith("mkdir"):
            folder.change({name: Folder()})
        elif call.startswith(("unlink", "rmdir")):
            folder.change({name: None})
        else:
            target, new_name = self._parent(paths[1])
            moved = {name: None} if call.startswith("rename") else {}
            if target is folder:
                folder.change({**moved, new_name: folder.seen[name]})
            else:
                target.change({new_name: folder.seen[name]})
                folder.change({**moved})
        return True

    def _written(
        self, descriptor: tuple[str, str], entry: File | Folder, call: str, arguments: str, count: int
    ) -> bool:
        if call in ("fsync", "fdatasync"):
            entry.sync()
            return True
        if call == "lseek":
            self._positions[descriptor] = count
            return False
        assert isinstance(entry, File)
        if call == "ftruncate":
            entry.resize(int(arguments.rpartition(",")[2]))
            return True
        position = self._positions.get(descriptor, 0)
        if call.startswith("p"):
            entry.write(
                int(arguments.rpartition(",")[2]), _bytes(arguments)[:count], durable=descriptor in self._durable
            )
            return True
        content = _bytes(arguments)[:count] if call != "sendfile" else self._sent(arguments, count)
        entry.write(position, content, durable=descriptor in self._durable)
        self._positions[descriptor] = position + count
        return True

    def _sent(self, arguments: str, count: int) -> bytes:
        source = self._entry(_unescaped(_PLACE.findall(arguments)[1][1]))
        offset = re.search(r"\[(\d+)\]", arguments)
        assert isinstance(source, File)
        assert offset is not None
        return bytes(source.seen[int(offset[1]) : int(offset[1]) + count])


def _unescaped(text: str) -> str:
    return re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), text)


def _bytes(arguments: str) -> bytes:
    return b"".join(bytes.fromhex(text.replace("\\x", "")) for text in _TEXT.findall(arguments))


def _calls(trace: Path) -> Iterator[tuple[str, str, str, int, str]]:
    """(process, call, arguments, result, the path that was opened) of each call that went well, as they ended."""
    begun: dict[str, str] = {}
    with trace.open(encoding="latin-1") as lines:
        for line in lines:
            process, _, rest = line.rstrip("\n").partition(" ")
            rest = rest.lstrip()
            if rest.endswith("<unfinished ...>"):
                begun[process] = rest.removesuffix("<unfinished ...>")
                continue
            if rest.startswith("<... "):
                rest = begun.pop(process, "") + rest.partition("resumed>")[2]
            found = _CALL.match(rest)
            if found is not None:
                yield process, found[1], found[2], int(found[3]), _unescaped(found[4] or "")
