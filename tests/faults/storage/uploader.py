"""A process that stores one file and says how it went; the tests trace it, fail its system calls and kill it.

``python uploader.py ROOT PATH INTENT OFFSET FILE``: the octets of FILE from OFFSET on, in four writes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from fairlead.errors import StorageError
from fairlead.storage.base import Intent
from fairlead.storage.local import LocalStorage

WRITES = 4


def main(root: str, path: str, intent: str, offset: str, file: str) -> None:
    data = Path(file).read_bytes()[int(offset) :]
    piece = -(-len(data) // WRITES)
    try:
        upload = LocalStorage(root).create(path, intent=Intent(intent), owner="alice", offset=int(offset))
        try:
            for start in range(0, len(data), piece):
                upload.write(data[start : start + piece])
            upload.commit()
        except StorageError:
            upload.keep()
            raise
    except StorageError as error:
        os.write(1, type(error).__name__.encode())
    else:
        os.write(1, b"committed")


if __name__ == "__main__":
    main(*sys.argv[1:])
