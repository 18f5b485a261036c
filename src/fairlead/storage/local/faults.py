"""The one table from ``errno`` to :class:`fairlead.errors.StorageError`."""

from __future__ import annotations

import errno

from fairlead import errors

FAULTS: dict[int, type[errors.StorageError]] = {
    errno.ENOENT: errors.NotFound,
    errno.ESTALE: errors.NotFound,
    errno.EEXIST: errors.AlreadyExists,
    errno.EISDIR: errors.IsADirectory,
    errno.ENOTDIR: errors.NotADirectory,
    errno.ENOTEMPTY: errors.NotEmpty,
    errno.EACCES: errors.Denied,
    errno.EPERM: errors.Denied,
    errno.EROFS: errors.Denied,
    errno.ELOOP: errors.Denied,
    errno.EXDEV: errors.Denied,
    errno.ENXIO: errors.Denied,
    errno.ENODEV: errors.Denied,
    errno.EMLINK: errors.Denied,
    errno.ENAMETOOLONG: errors.InvalidName,
    errno.EINVAL: errors.InvalidName,
    errno.EILSEQ: errors.InvalidName,
    errno.EBUSY: errors.Busy,
    errno.ETXTBSY: errors.Busy,
    errno.EAGAIN: errors.Busy,
    errno.EMFILE: errors.Busy,
    errno.ENFILE: errors.Busy,
    errno.ENOMEM: errors.Busy,
    errno.ENOSPC: errors.NoSpace,
    errno.EDQUOT: errors.NoSpace,
    errno.EFBIG: errors.NoSpace,
}
"""What is not listed is a :class:`fairlead.errors.StorageFault`."""


def fault(error: OSError, path: str) -> errors.StorageError:
    """The error to raise for ``error``, met while working on the virtual path ``path``."""
    return FAULTS.get(error.errno or 0, errors.StorageFault)(path)
