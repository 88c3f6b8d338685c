"""A disk under SQLite that notes what is done to it, refuses when it is told to, and is rebuilt as a crash leaves it.

`taped()` puts a file system of its own between this interpreter's SQLite and the real one: it is registered with the
library itself, so every connection of the process writes and syncs through it. What is done to names (making, renaming,
removing files) goes through `TapedDisk` and through SQLite; both say it here. Everything stands on one tape, in order.

`Remains` plays a tape and knows at each place what a disk must hold then, which is what was synced, and what it may
hold besides: any part of what was not. A name lasts once its folder is synced, a file's bytes once the file is.
"""

import _sqlite3
import ctypes
import errno
import random
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from signalreel_adapters.reels.disk import Disk

__all__ = ("Operation", "Remains", "Tape", "TapedDisk", "taped")

SECTOR: Final = 512
"""What a disk writes at once: a longer write may be torn between two of these."""

_FULL, _OK = 13, 0
_TEMPORARY: Final = 0x0E00 | 0x1000
"""Flags of files that SQLite opens for itself alone."""


class Operation(NamedTuple):
    """One thing that was done, or that was told to a client."""

    kind: str  #: write, truncate, sync, make, rename, remove, sync folder, told
    name: str = ""
    at: int = 0  #: offset, new size, or the last seq that a client has heard of
    data: bytes = b""
    to: str = ""


class Tape:
    """What was done to the files of one folder, in order. While `is_full` is set, nothing more can be written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.operations: list[Operation] = []
        self.is_full = False
        self.fails: Callable[[Operation], bool] = lambda operation: False
        self._lock = threading.Lock()

    def told(self, seq: int) -> None:
        """Take note that somebody has heard of a record, and so of all before it."""
        self.add(Operation("told", at=seq))

    def add(self, operation: Operation) -> bool:
        """Put it on the tape, unless it is to fail; give whether it may be done."""
        with self._lock:
            if operation.kind != "told" and (self.fails(operation) or (self.is_full and operation.kind == "write")):
                return False
            self.operations.append(operation)
            return True

    def name_of(self, path: str) -> str | None:
        """Give the name of a file in the folder; None of one elsewhere."""
        found = Path(path)
        return found.name if found.parent == self.folder else None


class TapedDisk(Disk):
    """What `Disk` does, put on a tape."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape

    def _do(self, operation: Operation) -> None:
        if not self.tape.add(operation):
            raise OSError(errno.ENOSPC, "the test has filled the disk")

    def make(self, path: Path) -> bool:
        """Make a file."""
        if path.exists():
            return False
        self._do(Operation("make", path.name))
        return super().make(path)

    def rename(self, old: Path, new: Path) -> None:
        """Rename a file."""
        self._do(Operation("rename", old.name, to=new.name))
        super().rename(old, new)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        if path.exists():
            self._do(Operation("remove", path.name))
        super().remove(path)

    def sync_folder(self, folder: Path) -> None:
        """Make names last."""
        self._do(Operation("sync folder"))


_pointer = ctypes.c_void_p
_OPEN = ctypes.CFUNCTYPE(ctypes.c_int, _pointer, _pointer, _pointer, ctypes.c_int, _pointer)
_DELETE = ctypes.CFUNCTYPE(ctypes.c_int, _pointer, ctypes.c_char_p, ctypes.c_int)
_WRITE = ctypes.CFUNCTYPE(ctypes.c_int, _pointer, _pointer, ctypes.c_int, ctypes.c_int64)
_TRUNCATE = ctypes.CFUNCTYPE(ctypes.c_int, _pointer, ctypes.c_int64)
_SYNC = ctypes.CFUNCTYPE(ctypes.c_int, _pointer, ctypes.c_int)
_OPEN_FOLDER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, _pointer)
_SET_CALL = ctypes.CFUNCTYPE(ctypes.c_int, _pointer, ctypes.c_char_p, _pointer)
_GET_CALL = ctypes.CFUNCTYPE(_pointer, _pointer, ctypes.c_char_p)


_FILE_METHODS: Final = (
    *("close", "read", "write", "truncate", "sync", "size", "lock", "unlock", "check_lock", "control"),
    *("sector_size", "characteristics", "shm_map", "shm_lock", "shm_barrier", "shm_unmap", "fetch", "unfetch"),
)
_SYSTEM_METHODS: Final = (
    *("open", "delete", "access", "full_path", "dl_open", "dl_error", "dl_sym", "dl_close", "random", "sleep"),
    *("time", "last_error", "time_64", "set_call", "get_call", "next_call"),
)


class _Methods(ctypes.Structure):
    """`sqlite3_io_methods`: what can be done to an open file."""

    _fields_ = [("version", ctypes.c_int)] + [(name, _pointer) for name in _FILE_METHODS]


class _FileSystem(ctypes.Structure):
    """`sqlite3_vfs`: how files are found and opened."""

    _fields_ = [
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("path_max", ctypes.c_int),
        ("next", _pointer),
        ("name", ctypes.c_char_p),
        ("data", _pointer),
        *[(name, _pointer) for name in _SYSTEM_METHODS],
    ]


def _library() -> Any:  # noqa: ANN401 - what ctypes gives is of no type
    """Give the SQLite that this interpreter uses. A test that cannot have it fails, and says so."""
    for place in (_sqlite3.__file__, None):
        library = ctypes.CDLL(place)
        if hasattr(library, "sqlite3_vfs_find"):
            library.sqlite3_vfs_find.restype = _pointer
            library.sqlite3_vfs_register.argtypes = [_pointer, ctypes.c_int]
            library.sqlite3_vfs_unregister.argtypes = [_pointer]
            library.sqlite3_libversion.restype = ctypes.c_char_p
            assert library.sqlite3_libversion().decode() == sqlite3.sqlite_version
            return library
    raise AssertionError("this interpreter's SQLite shows none of its functions; use one that links to libsqlite3")


class _Interposed:
    """The file system in between. It keeps the real one's files and changes three of their methods."""

    def __init__(self, tape: Tape, real: int) -> None:
        self.tape = tape
        self.system = _FileSystem.from_buffer_copy(ctypes.string_at(real, ctypes.sizeof(_FileSystem)))
        self._real_open = _OPEN(self.system.open)
        self._real_delete = _DELETE(self.system.delete)
        self._names: dict[int, str] = {}
        self._synced: set[int] = set()
        self._methods: dict[int, tuple[_Methods, list[Any]]] = {}
        self._real = real
        self._set_call = _SET_CALL(self.system.set_call)
        self._real_folder = _OPEN_FOLDER(_GET_CALL(self.system.get_call)(real, b"openDirectory"))
        self._kept = [_OPEN(self._open), _DELETE(self._delete), _OPEN_FOLDER(self._open_folder)]
        self.system.name = b"taped"
        self.system.open = ctypes.cast(self._kept[0], _pointer).value
        self.system.delete = ctypes.cast(self._kept[1], _pointer).value
        self._set_call(real, b"openDirectory", ctypes.cast(self._kept[2], _pointer))

    def restore(self) -> None:
        """Let the real one open folders by itself again."""
        self._set_call(self._real, b"openDirectory", None)

    def _open(self, system: int, name: int, file: int, flags: int, out: int) -> int:
        path = ctypes.string_at(name).decode() if name else ""
        ours = self.tape.name_of(path) if path and not flags & _TEMPORARY else None
        if ours is not None and flags & 0x4 and not Path(path).exists() and not self.tape.add(Operation("make", ours)):
            return _FULL
        result = self._real_open(self._real, name, file, flags, out)
        if result == _OK and ours is not None:
            self._names[file] = ours
            self._synced.discard(file)
            methods = ctypes.cast(file, ctypes.POINTER(ctypes.c_void_p))
            methods[0] = ctypes.addressof(self._ours(int(methods[0] or 0)))
        return int(result)

    def _ours(self, real: int) -> _Methods:
        if real in self._methods:
            return self._methods[real][0]
        methods = _Methods.from_buffer_copy(ctypes.string_at(real, ctypes.sizeof(_Methods)))
        write, truncate, sync = _WRITE(methods.write), _TRUNCATE(methods.truncate), _SYNC(methods.sync)

        synced = self._synced

        def on_write(file: int, data: int, size: int, at: int) -> int:
            operation = Operation("write", self._names[file], at, ctypes.string_at(data, size))
            return int(write(file, data, size, at)) if self.tape.add(operation) else _FULL

        def on_truncate(file: int, size: int) -> int:
            return int(truncate(file, size)) if self.tape.add(Operation("truncate", self._names[file], size)) else _FULL

        def on_sync(file: int, flags: int) -> int:
            # Done once, when SQLite may sync the folder too; the tape says what lasts, and a real disk takes its time.
            if file not in synced:
                synced.add(file)
                sync(file, flags)
            return _OK if self.tape.add(Operation("sync", self._names[file])) else _FULL

        kept = [_WRITE(on_write), _TRUNCATE(on_truncate), _SYNC(on_sync)]
        methods.write, methods.truncate, methods.sync = (ctypes.cast(one, _pointer).value for one in kept)
        self._methods[real] = (methods, kept)
        return methods

    def _delete(self, system: int, name: bytes, sync: int) -> int:
        ours = self.tape.name_of(name.decode())
        if ours is not None and Path(name.decode()).exists():
            self.tape.add(Operation("remove", ours))
        return int(self._real_delete(self._real, name, sync))

    def _open_folder(self, name: bytes, out: int) -> int:
        if Path(name.decode()).parent == self.tape.folder:
            self.tape.add(Operation("sync folder"))
        return int(self._real_folder(name, out))


@contextmanager
def taped(folder: Path) -> Iterator[Tape]:
    """Put everything that SQLite does to the files of a folder on a tape. Nothing may be open when this ends."""
    library = _library()
    real = library.sqlite3_vfs_find(None)
    tape = Tape(folder.resolve())
    interposed = _Interposed(tape, real)
    assert library.sqlite3_vfs_register(ctypes.byref(interposed.system), 1) == _OK
    try:
        yield tape
    finally:
        library.sqlite3_vfs_unregister(ctypes.byref(interposed.system))
        library.sqlite3_vfs_register(real, 1)
        interposed.restore()


class _File:
    """The bytes of a file: those that last, and what was done to them since."""

    def __init__(self) -> None:
        self.lasting = b""
        self.since: list[Operation] = []

    def sync(self) -> None:
        self.lasting, self.since = self.after(self.since), []

    def after(self, done: list[Operation]) -> bytes:
        data = bytearray(self.lasting)
        for operation in done:
            if operation.kind == "truncate":
                del data[operation.at :]
                data.extend(bytes(operation.at - len(data)))
            else:
                data.extend(bytes(max(0, operation.at - len(data))))
                data[operation.at : operation.at + len(operation.data)] = operation.data
        return bytes(data)

    def torn(self, chance: random.Random) -> bytes:
        """Give what may be left: any of what was done since, and of a write any of its sectors."""
        done: list[Operation] = []
        for operation in self.since:
            if operation.kind == "write":
                done.extend(
                    operation._replace(at=operation.at + at, data=operation.data[at : at + SECTOR])
                    for at in range(0, len(operation.data), SECTOR)
                    if chance.random() < 0.5
                )
            elif chance.random() < 0.5:
                done.append(operation)
        return self.after(done)


class Remains:
    """What a disk holds at a place of a tape, once it has lost its power there."""

    def __init__(self) -> None:
        self._names: dict[str, _File] = {}
        self._lasting: dict[str, _File] = {}
        self._since: list[tuple[str, str, _File | None]] = []  # name, new name, the file that was made

    def play(self, operation: Operation) -> None:
        """Go on by one operation."""
        match operation.kind:
            case "make":
                self._names[operation.name] = made = _File()
                self._since.append((operation.name, "", made))
            case "rename":
                self._names[operation.to] = self._names.pop(operation.name)
                self._since.append((operation.name, operation.to, None))
            case "remove":
                self._names.pop(operation.name, None)
                self._since.append((operation.name, "", None))
            case "sync folder":
                self._lasting, self._since = dict(self._names), []
            case "sync":
                self._names[operation.name].sync()
            case "write" | "truncate":
                self._names[operation.name].since.append(operation)
            case _:
                return

    def least(self) -> dict[str, bytes]:
        """Give the files with only what was synced."""
        return {name: file.lasting for name, file in self._lasting.items()}

    def most(self) -> dict[str, bytes]:
        """Give the files as they were: the program died, the machine did not."""
        return {name: file.after(file.since) for name, file in self._names.items()}

    def some(self, chance: random.Random) -> dict[str, bytes]:
        """Give the files with any part of what was not synced."""
        names = dict(self._lasting)
        for name, to, made in self._since:
            if chance.random() < 0.5:
                continue
            if made is not None:
                names[name] = made
            elif to and name in names:
                names[to] = names.pop(name)
            elif not to:
                names.pop(name, None)
        return {name: file.torn(chance) for name, file in names.items()}
