"""One file, one listing: what takes a session of its own and a line of code."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, BinaryIO

from fairlead.client._files import Transferred
from fairlead.client._flow import Progress
from fairlead.client._local import LocalPath, Writable
from fairlead.client.sync import Client
from fairlead.errors import ArgumentError
from fairlead.proto.entry import Entry
from fairlead.proto.url import FtpUrl, parse_url


def get(
    url: str | FtpUrl,
    local: LocalPath | Writable = ".",
    *,
    resume: bool = False,
    verify: bool = False,
    times: bool = False,
    on_progress: Progress | None = None,
    **settings: Any,
) -> Transferred:
    """Fetch the file at ``url`` to ``local``, by default under its own name into the current directory.

    ``settings`` are the arguments of :class:`fairlead.Client`, the others those of :meth:`fairlead.Client.download`,
    which says what is raised; ArgumentError for a URL that names no file. ``;type=a`` converts line ends.
    """
    parts = _parts(url)
    *directory, name = _segments_of_file(parts)
    with _client(parts, directory, settings) as ftp:
        return ftp.download(
            name, local, resume=resume, text=parts.type == "A", verify=verify, times=times, on_progress=on_progress
        )


def put(
    local: LocalPath | BinaryIO,
    url: str | FtpUrl,
    *,
    resume: bool = False,
    verify: bool = False,
    times: bool = False,
    on_progress: Progress | None = None,
    **settings: Any,
) -> Transferred:
    """Store ``local`` at ``url``, under its own name where the URL ends with a slash.

    ``settings`` are the arguments of :class:`fairlead.Client`, the others those of :meth:`fairlead.Client.upload`,
    which says what is raised; ArgumentError for a URL that names no file. ``;type=a`` converts line ends.
    """
    parts = _parts(url)
    if parts.directory and isinstance(local, str | os.PathLike):
        parts = parts.replace(segments=(*parts.segments, PurePath(local).name), directory=False)
    *directory, name = _segments_of_file(parts)
    with _client(parts, directory, settings) as ftp:
        return ftp.upload(
            local, name, resume=resume, text=parts.type == "A", verify=verify, times=times, on_progress=on_progress
        )


def ls(url: str | FtpUrl, **settings: Any) -> list[Entry]:
    """The entries of the directory at ``url``; ``settings`` are the arguments of :class:`fairlead.Client`.

    Raises as :meth:`fairlead.Client.scandir` does, PermanentError where there is no such directory.
    """
    parts = _parts(url)
    with _client(parts, parts.segments, settings) as ftp:
        return ftp.scandir()


def _parts(url: str | FtpUrl) -> FtpUrl:
    return url if isinstance(url, FtpUrl) else parse_url(url if "://" in url else f"ftp://{url}")


def _segments_of_file(parts: FtpUrl) -> Sequence[str]:
    if parts.directory or not parts.segments:
        message = f"{parts} names a directory; name a file"
        raise ArgumentError(message)
    return parts.segments


def _client(parts: FtpUrl, directory: Sequence[str], settings: dict[str, Any]) -> Client:
    return Client(parts.replace(segments=tuple(directory)), **settings)
