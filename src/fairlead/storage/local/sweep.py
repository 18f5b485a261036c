"""Removing the partial uploads that nobody works on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from fairlead.storage.local.beneath import Opener
from fairlead.storage.local.partial import remove_idle
from fairlead.storage.names import encode, is_partial

_LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def empty(directory: int, name: bytes) -> bool:
    """Take the partial uploads out of the directory ``name`` if it holds nothing else and none is live."""
    inner = os.open(name, _LIST, dir_fd=directory)
    try:
        held = [encode(found) for found in os.listdir(inner)]
        return all(map(is_partial, held)) and all(remove_idle(inner, found) for found in held)
    finally:
        os.close(inner)


def sweep(root: int, opener: Opener, before: float) -> int:
    """Remove the partials last written to at or before ``before`` (seconds since the epoch); links are not followed."""
    removed = 0
    waiting = [b"."]
    while waiting:
        path = waiting.pop()
        try:
            directory = opener(root, path, _LIST)
        except OSError:
            continue
        try:
            for name, is_directory in _entries(directory):
                if is_directory:
                    waiting.append(path + b"/" + name)
                elif is_partial(name):
                    removed += remove_idle(directory, name, before)
        finally:
            os.close(directory)
    return removed


def _entries(directory: int) -> Iterator[tuple[bytes, bool]]:
    """Names, and whether each is a directory; ends where the directory cannot be read further."""
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            yield encode(entry.name), entry.is_dir(follow_symlinks=False)
