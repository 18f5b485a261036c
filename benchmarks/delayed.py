"""``python -m benchmarks.delayed MOUNTPOINT SECONDS SOURCE``: a file system whose every answer takes its time.

It holds what is in the directory SOURCE, in memory, and speaks the kernel's FUSE protocol itself (linux/fuse.h), so
that nothing but root and ``/dev/fuse`` is needed. The kernel keeps no answer: each path is looked up, each status asked
for anew, as of a disk that is always cold or a server far away. It prints a line when it is mounted, and is unmounted
when its standard input ends.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_IN = struct.Struct("<IIQQIIIHH")
_OUT = struct.Struct("<IiQ")
_ATTRIBUTES = struct.Struct("<6Q10I")
_READ = struct.Struct("<QQI")
_SET = struct.Struct("<IIQQQQQQIIIIIIII")
_ROOM = 1 << 20
_DETACH = 2
_SIZE = 1 << 3
"""Of FUSE_SETATTR: the size is to be set."""
_MODE = 1 << 0
_SILENT = frozenset({2, 36, 42})
"""FORGET, INTERRUPT and BATCH_FORGET have no answer."""


class Node:
    """A file or a directory."""

    def __init__(self, number: int, mode: int, content: bytes = b"") -> None:
        self.number = number
        self.mode = mode
        self.content = bytearray(content)
        self.entries: dict[bytes, Node] = {}
        self.modified = time.time_ns()

    def attributes(self) -> bytes:
        """``struct fuse_attr``."""
        size = len(self.content)
        seconds, rest = divmod(self.modified, 10**9)
        return _ATTRIBUTES.pack(
            self.number,
            size,
            -(-size // 512),
            seconds,
            seconds,
            seconds,
            rest,
            rest,
            rest,
            self.mode,
            1,
            0,
            0,
            0,
            4096,
            0,
        )


class FileSystem:
    """Answers the kernel's requests."""

    def __init__(self, source: Path, delay: float) -> None:
        self._delay = delay
        self._nodes: dict[int, Node] = {}
        root = self._new(stat.S_IFDIR | 0o777)
        self._load(root, source)
        self._calls: dict[int, Callable[[Node, bytes], bytes]] = {
            1: self._look_up, 3: self._get, 4: self._set, 9: self._make_directory, 10: self._unlink, 11: self._unlink,
            12: self._rename, 14: self._open, 15: self._read, 16: self._write, 17: self._space, 18: self._nothing,
            20: self._nothing, 25: self._nothing, 26: self._begin, 27: self._open, 28: self._list, 29: self._nothing,
            30: self._nothing, 35: self._create, 45: self._rename_2,
        }  # fmt: skip

    def serve(self, device: int) -> None:
        """Answer until the file system is unmounted."""
        while True:
            try:
                request = os.read(device, _ROOM)
            except OSError as error:
                if error.errno in {errno.EINTR, errno.ENOENT}:
                    continue
                return
            _, operation, unique, number, *_ = _IN.unpack_from(request)
            if operation in _SILENT:
                continue
            if operation != 26:
                time.sleep(self._delay)
            failure, answer = 0, b""
            try:
                answer = self._calls[operation](self._nodes[number or 1], request[_IN.size :])
            except KeyError:
                failure = errno.ENOSYS
            except OSError as error:
                failure = error.errno or errno.EIO
            os.write(device, _OUT.pack(_OUT.size + len(answer), -failure, unique) + answer)

    def _new(self, mode: int, content: bytes = b"") -> Node:
        node = Node(len(self._nodes) + 1, mode, content)
        self._nodes[node.number] = node
        return node

    def _load(self, node: Node, source: Path) -> None:
        for path in source.iterdir():
            if path.is_dir():
                self._load(node.entries.setdefault(os.fsencode(path.name), self._new(stat.S_IFDIR | 0o777)), path)
            else:
                node.entries[os.fsencode(path.name)] = self._new(stat.S_IFREG | 0o644, path.read_bytes())

    def _begin(self, _: Node, data: bytes) -> bytes:
        readahead = struct.unpack_from("<III", data)[2]
        return struct.pack("<IIIIHHIIHHII", 7, 31, readahead, 1 << 5 | 1 << 22, 12, 9, 1 << 17, 1, 32, 0, 0, 0) + bytes(
            24
        )

    def _entry(self, node: Node) -> bytes:
        return struct.pack("<QQQQII", node.number, 0, 0, 0, 0, 0) + node.attributes()

    def _look_up(self, node: Node, data: bytes) -> bytes:
        return self._entry(_named(node, data[:-1]))

    def _get(self, node: Node, _: bytes) -> bytes:
        return bytes(16) + node.attributes()

    def _set(self, node: Node, data: bytes) -> bytes:
        valid, _, _, size, *rest = _SET.unpack_from(data)
        if valid & _SIZE:
            node.content[size:] = bytes(max(0, size - len(node.content)))
        if valid & _MODE:
            node.mode = rest[7]
        return self._get(node, data)

    def _make_directory(self, node: Node, data: bytes) -> bytes:
        made = node.entries[data[8:-1]] = self._new(stat.S_IFDIR | 0o777)
        return self._entry(made)

    def _unlink(self, node: Node, data: bytes) -> bytes:
        _named(node, data[:-1])
        del node.entries[data[:-1]]
        return b""

    def _rename(self, node: Node, data: bytes, names: int = 8) -> bytes:
        [number] = struct.unpack_from("<Q", data)
        old, new, _ = data[names:].split(b"\0")
        self._nodes[number].entries[new] = _named(node, old)
        del node.entries[old]
        return b""

    def _rename_2(self, node: Node, data: bytes) -> bytes:
        return self._rename(node, data, 16)

    def _open(self, _: Node, __: bytes) -> bytes:
        return bytes(16)

    def _create(self, node: Node, data: bytes) -> bytes:
        _, mode, _, _ = struct.unpack_from("<IIII", data)
        made = node.entries.setdefault(data[16:-1], self._new(mode))
        return self._entry(made) + bytes(16)

    def _read(self, node: Node, data: bytes) -> bytes:
        _, offset, size = _READ.unpack_from(data)
        return bytes(node.content[offset : offset + size])

    def _write(self, node: Node, data: bytes) -> bytes:
        _, offset, size = _READ.unpack_from(data)
        node.content[offset : offset + size] = data[40:]
        node.modified = time.time_ns()
        return struct.pack("<II", size, 0)

    def _list(self, node: Node, data: bytes) -> bytes:
        _, offset, room = _READ.unpack_from(data)
        answer = b""
        for place, (name, entry) in enumerate(list(node.entries.items())[offset:], offset + 1):
            record = struct.pack("<QQII", entry.number, place, len(name), stat.S_IFMT(entry.mode) >> 12) + name
            record += bytes(-len(record) % 8)
            if len(answer) + len(record) > room:
                break
            answer += record
        return answer

    def _space(self, _: Node, __: bytes) -> bytes:
        return struct.pack("<5Q4I", 1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 4096, 255, 4096, 0) + bytes(24)

    def _nothing(self, _: Node, __: bytes) -> bytes:
        return b""


def _named(node: Node, name: bytes) -> Node:
    if name not in node.entries:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    return node.entries[name]


def available() -> bool:
    """Whether this process may mount such a file system."""
    return os.geteuid() == 0 and os.access("/dev/fuse", os.R_OK | os.W_OK)


@contextmanager
def mounted(where: Path, delay: float, source: Path) -> Iterator[None]:
    """The file system at the directory ``where``, by a process of its own. Raises OSError where it is not mounted."""
    command = [sys.executable, "-m", "benchmarks.delayed", str(where), str(delay), str(source)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if process.stdout.readline() != b"mounted\n":
            raise OSError(errno.EPERM, "no file system was mounted", str(where))
        yield
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def main(where: str, delay: str, source: str) -> None:
    """Mount, serve, unmount."""
    system = ctypes.CDLL(None, use_errno=True)
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
    files = FileSystem(Path(source), float(delay))
    place = os.fsencode(where)
    if system.mount(b"fairlead-delayed", place, b"fuse.fairlead-delayed", 0, options.encode()):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), where)
    try:
        threading.Thread(target=files.serve, args=(device,), daemon=True).start()
        print("mounted", flush=True)
        sys.stdin.read()
    finally:
        system.umount2(place, _DETACH)


if __name__ == "__main__":
    main(*sys.argv[1:])
