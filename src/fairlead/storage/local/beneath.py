"""Opening a path so that nothing outside the root can be reached, whatever links lead or are swapped meanwhile.

``openat2`` with ``RESOLVE_BENEATH`` (Linux 5.6) lets the kernel see to it. Where the kernel or a sandbox does not
offer it, :func:`walk` opens one component after the other without following links and resolves links itself.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

Opener = Callable[[int, bytes, int], int]
"""``(root, path, flags) -> descriptor``; raises OSError, EXDEV where the path leaves the root."""

MAX_LINKS = 40
_COMPONENT = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def walk(root: int, path: bytes, flags: int) -> int:
    """As ``openat2`` without the kernel's help: a descriptor for each directory on the way, none by ``..``."""
    trail = [root]
    pending = path.split(b"/")[::-1]
    links = 0
    try:
        while pending:
            name = pending.pop()
            if name in {b"", b"."}:
                continue
            if name == b"..":
                if len(trail) == 1:
                    raise _failure(errno.EXDEV)
                os.close(trail.pop())
                continue
            found = os.open(name, _COMPONENT, dir_fd=trail[-1])
            mode = os.fstat(found).st_mode
            if stat.S_ISDIR(mode):
                trail.append(found)
                continue
            if stat.S_ISLNK(mode) and (pending or not flags & os.O_NOFOLLOW):
                links += 1
                pending += _link_names(found, links)
                continue
            if not pending and flags & os.O_PATH and not flags & os.O_DIRECTORY:
                return found
            os.close(found)
            if pending or flags & os.O_DIRECTORY:
                raise _failure(errno.ENOTDIR)
            try:
                return os.open(name, flags | os.O_NOFOLLOW, dir_fd=trail[-1])
            except OSError as error:
                links += 1
                if error.errno != errno.ELOOP or flags & os.O_NOFOLLOW or links > MAX_LINKS:
                    raise
                pending.append(name)  # it became a link since it was looked at
        return os.open(b".", flags & ~os.O_NOFOLLOW, dir_fd=trail[-1])
    finally:
        for descriptor in trail[1:]:
            os.close(descriptor)


def _link_names(link: int, links: int) -> list[bytes]:
    """The components of a link's text, last first; closes ``link``."""
    try:
        text = os.readlink(b"", dir_fd=link)
    finally:
        os.close(link)
    if text.startswith(b"/"):
        raise _failure(errno.EXDEV)
    if links > MAX_LINKS:
        raise _failure(errno.ELOOP)
    return text.split(b"/")[::-1]


def best(root: int) -> Opener:
    """``openat2`` where the kernel and its sandbox let it be used, else :func:`walk`."""
    from fairlead.storage.local.kernel import openat2  # noqa: PLC0415 - see there

    try:
        os.close(openat2(root, b".", os.O_PATH))
    except OSError as error:
        if error.errno not in {errno.ENOSYS, errno.EPERM}:
            raise
        return walk
    return openat2


def _failure(number: int) -> OSError:
    return OSError(number, os.strerror(number))
