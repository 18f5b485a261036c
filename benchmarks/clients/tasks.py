"""The rows of the clients' table: what is fetched, stored or listed, and how that is checked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from benchmarks.rows import GIB, Better, Row, Work, megabytes, milliseconds_each, rate


class Task(Enum):
    """What a client does."""

    GET = "fetch a file"
    PUT = "store a file"
    GET_MANY = "fetch every file of a directory"
    PUT_MANY = "store every file of a directory"
    LIST = "list a directory"
    MIRROR = "fetch a tree"
    MIRROR_AGAIN = "hold a tree that was fetched against the server's"


@dataclass(frozen=True, slots=True)
class ClientRow(Row):
    """A row of the clients' table."""

    task: Task = Task.GET
    amount: int = 0
    """Octets of the file, or how many files or entries."""


def client_rows(*, quick: bool = False) -> tuple[ClientRow, ...]:
    """All rows; ``quick`` makes the same with less of everything."""
    size = GIB // 4 if quick else GIB
    many = 1_000 if quick else 10_000
    entries = 10_000 if quick else 100_000

    def bulk(name: str, title: str, task: Task) -> ClientRow:
        return ClientRow(
            name, title, "MB/s", Better.HIGHER, megabytes, work=Work.GIB, cpu_counts=True, task=task, amount=size
        )

    def files(name: str, title: str, task: Task) -> ClientRow:
        return ClientRow(
            name, f"{title} {many:,} files of 1 KiB", "files/s", Better.HIGHER, rate,
            work=Work.OPERATION, rounds=3, limit=120, task=task, amount=many,
        )  # fmt: skip

    return (
        bulk("client-get", f"get {size >> 20} MiB", Task.GET),
        bulk("client-put", f"put {size >> 20} MiB", Task.PUT),
        files("client-get-many", "get", Task.GET_MANY),
        files("client-put-many", "put", Task.PUT_MANY),
        ClientRow(
            "client-list", f"list {entries:,} entries", "ms", Better.LOWER, milliseconds_each,
            work=Work.OPERATION, task=Task.LIST, amount=entries,
        ),
        files("client-mirror", "mirror", Task.MIRROR),
        files("client-mirror-x4", "mirror, 4 at a time,", Task.MIRROR),
        files("client-mirror-again", "mirror once more", Task.MIRROR_AGAIN),
    )  # fmt: skip
