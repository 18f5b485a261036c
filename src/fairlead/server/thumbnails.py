"""Images made small, by Pillow where it is installed (the extra ``thumbnails``)."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING

from fairlead.errors import Denied, StorageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from fairlead.storage.base import Source

MADE = ("JPEG", "PNG")
READ = ("JPEG", "PNG", "GIF", "BMP", "WEBP")
PIXELS = 24_000_000
"""The most that are unpacked; of a JPEG file, after it is made smaller by 2, 4 or 8 on the way."""
LARGEST = 4096
"""Pixels, the most that a thumbnail has on a side."""


@cache
def can_make() -> bool:
    """Whether Pillow is installed."""
    from importlib.util import find_spec  # noqa: PLC0415 - needed once, by FEAT or THMB

    return find_spec("PIL") is not None


def thumbnail(source: Source, path: str, kind: str, width: int, height: int) -> bytes:
    """The image in ``source`` as a file of ``kind``, one of :data:`MADE`, no larger than ``width`` by ``height``.

    Its proportions stay, and a smaller image stays as it is. Takes long: for a thread. Raises Denied where there is no
    image that can be read, or too large a one; StorageError.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415 - an extra, needed for nothing else

    limits = min(width, LARGEST), min(height, LARGEST)
    try:
        with Image.open(io.BufferedReader(_File(source)), formats=READ) as image:
            image.draft("RGB", limits)
            if image.width * image.height > PIXELS:
                raise Denied(path, "The image is too large")
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail(limits)
            made = io.BytesIO()
            upright.convert("RGB" if kind == "JPEG" else "RGBA").save(made, kind)
    except StorageError:
        raise
    except Exception as error:  # Pillow raises whatever a broken file leads it to
        raise Denied(path, "It is no image that can be read") from error
    return made.getvalue()


class _File(io.RawIOBase):
    """A source as a file object."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._source.status.st_size}[whence]
        self._position = max(start + offset, 0)
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        data = self._source.read(len(view), self._position)
        view[: len(data)] = data
        self._position += len(data)
        return len(data)
