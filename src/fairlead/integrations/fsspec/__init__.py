"""Files of an FTP server as a file system of :mod:`fsspec`, for pandas, dask and whatever else reads through that.

It takes the extra ``fsspec``. After installation ``fsspec.open("ftps://me@host/data.csv")`` finds it by the schemes
``ftps``, ``ftpes`` and ``fairlead``; ``ftp`` is fsspec's own, which ``fsspec.register_implementation("ftp",
FairleadFileSystem, clobber=True)`` replaces.
"""

from __future__ import annotations

import errno
import inspect
import os
import re
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from fsspec.callbacks import DEFAULT_CALLBACK
from fsspec.spec import AbstractFileSystem
from fsspec.utils import isfilelike, stringify_path

from fairlead.client.names import local_name
from fairlead.client.sync import Client
from fairlead.errors import NoSuchName, PermanentError
from fairlead.integrations.fsspec.file import FairleadFile
from fairlead.integrations.fsspec.sessions import Sessions
from fairlead.proto.entry import Entry, Kind
from fairlead.proto.url import PORTS, FtpUrl, parse_url

_SCHEME = re.compile(r"(?:fairlead|ftp|ftps|ftpes)://")
_TLS = {"ftps": "implicit", "ftpes": "require"}
_SETTINGS = frozenset(inspect.signature(Client).parameters)
_NOT_EMPTY = re.compile(r"not empty", re.IGNORECASE)
_NOT_THERE, _NOT_ALLOWED = 550, re.compile(r"permission|denied|allow|forbid|read.only", re.IGNORECASE)


class FairleadFileSystem(AbstractFileSystem):  # type: ignore[misc]
    """The files of one user on one server; every path is absolute there.

    ``host``, ``port``, ``username``, ``password`` and ``tls`` say where and as whom (``tls`` as in
    :class:`fairlead.Client`); further settings are those of :class:`fairlead.Client` and of fsspec. Threads may share
    it: each operation, and each open file, has a session of its own, which serves again afterwards. With ``auto_mkdir``
    opening a file for writing makes the directories on the way to it, as on an object store. What the server
    refuses because a file is missing, there already or not allowed is a ``FileNotFoundError``, ``FileExistsError`` or
    ``PermissionError``; everything else is raised as the client raises it.
    """

    protocol = ("fairlead", "ftps", "ftpes", "ftp")
    root_marker = "/"

    def __init__(
        self,
        host: str,
        port: int | None = None,
        username: str | None = None,
        password: str | None = None,
        tls: str = "auto",
        *,
        auto_mkdir: bool = False,
        **settings: Any,
    ) -> None:
        of_client = {name: value for name, value in settings.items() if name in _SETTINGS}
        super().__init__(**{name: value for name, value in settings.items() if name not in _SETTINGS})
        self.host = host
        self.auto_mkdir = auto_mkdir
        url = FtpUrl("ftp", host, port or PORTS["ftp"], username, password)

        def make(protected: bool) -> Client:
            wanted = "require" if protected and tls == "auto" else tls  # nobody talks us into going on in clear
            return Client(url, tls=wanted, **of_client)  # type: ignore[arg-type]

        self.sessions = Sessions(make)
        weakref.finalize(self, self.sessions.close)

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        text = stringify_path(path)
        if match := _SCHEME.match(text):
            text = text[match.end() :].partition("/")[2]
        return "/" + text.strip("/")

    @staticmethod
    def _get_kwargs_from_urls(path: str) -> dict[str, Any]:
        if not _SCHEME.match(path):
            return {}
        scheme, _, rest = path.partition("://")
        parts = parse_url(f"{'ftp' if scheme == 'fairlead' else scheme}://{rest.partition('/')[0]}")
        told: dict[str, Any] = {
            "host": parts.host,
            "username": parts.user,
            "password": parts.password,
            "tls": _TLS.get(scheme),
        }
        if parts.port != PORTS[parts.scheme]:
            told["port"] = parts.port
        return {name: value for name, value in told.items() if value is not None}

    def invalidate_cache(self, path: str | None = None) -> None:
        """Forget listings: all of them, since a name may be that of a directory that went with all it held."""
        self.dircache.clear()

    def walk(self, path: str, *arguments: Any, above: frozenset[str | None] = frozenset(), **options: Any) -> Any:
        """See the base class. A directory is not entered within itself, as far as listings tell that it is the same."""
        path = self._strip_protocol(path)
        beside = self.dircache.get(self._parent(path).rstrip("/")) or ()
        here = {one["unique"] for one in beside if one["name"] == path}
        return super().walk(path, *arguments, above=above | here, **options)

    def ls(
        self,
        path: str,
        detail: bool = True,
        *,
        refresh: bool = False,
        above: frozenset[str | None] = frozenset(),
        **_: Any,
    ) -> list[Any]:
        """The entries of a directory, or the file ``path`` alone: as names, or as dictionaries of what is known.

        Directories whose unique fact (RFC 3659 section 7.5.2) is among those ``above`` are left out.
        """
        path = self._strip_protocol(path)
        found = None if refresh else self.dircache.get(path.rstrip("/"))
        if found is None:
            with self._client(path) as ftp:
                entry = ftp.stat(path)
                if entry.kind is not Kind.DIRECTORY:
                    found = [_told(entry, path)]
                else:
                    entries = ftp.scandir(path)
                    found = [_told(entry, _below(path, entry.name)) for entry in entries if "/" not in entry.name]
                    self.dircache[path.rstrip("/")] = found
        found = [one for one in found if one["unique"] is None or one["unique"] not in above]
        return found if detail else sorted(one["name"] for one in found)

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """What is known of a file or directory."""
        path = self._strip_protocol(path)
        if path == self.root_marker:
            return {"name": path, "size": 0, "type": "directory"}
        with self._client(path) as ftp:
            return _told(ftp.stat(path), path)

    def modified(self, path: str) -> Any:
        """When a file was last changed, in UTC."""
        return self.info(path)["modified"]

    def mkdir(self, path: str, create_parents: bool = True, **_: Any) -> None:
        """Make a directory, by default with those on the way to it."""
        path = self._strip_protocol(path)
        with self._changing(path, taken=True) as ftp:
            ftp.makedirs(path) if create_parents else ftp.mkdir(path)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Make a directory and those on the way to it."""
        path = self._strip_protocol(path)
        if not exist_ok or path != self.root_marker:
            with self._changing(path, taken=True) as ftp:
                ftp.makedirs(path, exist_ok=exist_ok)

    def rmdir(self, path: str) -> None:
        """Remove an empty directory."""
        path = self._strip_protocol(path)
        with self._changing(path) as ftp:
            ftp.rmdir(path)

    def rm_file(self, path: str) -> None:
        """Remove a file."""
        path = self._strip_protocol(path)
        with self._changing(path) as ftp:
            ftp.remove(path)

    def rm(self, path: Any, recursive: bool = False, maxdepth: int | None = None) -> None:
        """Remove files and directories; with ``recursive`` all that they hold, or ``maxdepth`` levels of it."""
        for one in reversed(self.expand_path(path)):
            if not self.isdir(one):
                self.rm_file(one)
            elif not recursive:
                self.rmdir(one)
            else:
                with self._changing(one) as ftp:
                    ftp.rmtree(one) if maxdepth is None else _clear(ftp, one, maxdepth)

    def mv(self, path1: str, path2: str, recursive: bool = False, maxdepth: int | None = None, **_: Any) -> None:
        """Rename a file or directory; whether one that is there is replaced is the server's choice."""
        source, target = self._strip_protocol(path1), self._strip_protocol(path2)
        with self._changing(source) as ftp:
            ftp.rename(source, target)

    def cp_file(self, path1: str, path2: str, **_: Any) -> None:
        """Copy a file within the server, through here."""
        if self.isdir(path1):
            self.makedirs(path2, exist_ok=True)
            return
        source, target = self._strip_protocol(path1), self._strip_protocol(path2)
        self.makedirs(self._parent(target), exist_ok=True)
        with (
            self._client(source) as reading,
            self._changing(target) as writing,
            writing.open(target, "wb") as file,
        ):
            file.writelines(reading.stream(source))

    def get_file(self, rpath: str, lpath: Any, callback: Any = DEFAULT_CALLBACK, outfile: Any = None, **_: Any) -> None:
        """Fetch a file to ``lpath``, a path or a file object."""
        path = self._strip_protocol(rpath)
        target = outfile if outfile is not None else lpath
        if not isfilelike(target):
            if self.isdir(path):
                Path(target).mkdir(parents=True, exist_ok=True)
                return
            Path(target).parent.mkdir(parents=True, exist_ok=True)
        with self._client(path) as ftp:
            ftp.download(path, target, on_progress=partial(_progress, callback))

    def put_file(
        self, lpath: str, rpath: str, callback: Any = DEFAULT_CALLBACK, mode: str = "overwrite", **_: Any
    ) -> None:
        """Store the file ``lpath``; with the mode ``create`` there must be none of that name."""
        path = self._strip_protocol(rpath)
        if mode == "create":
            self._check_new(path)
        if Path(lpath).is_dir():
            self.makedirs(path, exist_ok=True)
            return
        self.makedirs(self._parent(path), exist_ok=True)
        with self._changing(path) as ftp:
            ftp.upload(lpath, path, on_progress=partial(_progress, callback))

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: Any = None,
        autocommit: bool = True,
        cache_options: Any = None,
        **options: Any,
    ) -> FairleadFile:
        if mode == "rb" and options.get("size") is None:
            options["size"] = self._size(path)
        if mode == "xb":
            self._check_new(path)
        if mode != "rb" and self.auto_mkdir:
            self.makedirs(self._parent(path), exist_ok=True)
        return FairleadFile(self, path, mode, block_size, autocommit, cache_options=cache_options, **options)

    def _check_new(self, path: str) -> None:
        if self.exists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)

    def _size(self, path: str) -> int:
        with self._client(path) as ftp:
            entry = ftp.stat(path)
            if entry.kind is Kind.DIRECTORY:
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
            size = entry.size if entry.kind is Kind.FILE and entry.size is not None else ftp.size(path)
        if size is None:
            message = f"the server does not tell the size of {path}; use fairlead.Client.stream to read it"
            raise OSError(message)
        return size

    @contextmanager
    def _client(self, path: str, *, taken: bool = False) -> Iterator[Client]:
        """A session for one operation; ``taken`` where a refusal is likely to mean that the name is there already."""
        with self.sessions.client() as ftp:
            try:
                yield ftp
            except NoSuchName as error:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from error
            except PermanentError as error:
                kind = _kind(ftp, error, path, taken=taken)
                if kind is None:
                    raise
                raise OSError(kind, os.strerror(kind), path) from error

    @contextmanager
    def _changing(self, path: str, *, taken: bool = False) -> Iterator[Client]:
        """As :meth:`_client`, for what makes listings untrue."""
        try:
            with self._client(path, taken=taken) as ftp:
                yield ftp
        finally:
            self.invalidate_cache()


def _told(entry: Entry, path: str) -> dict[str, Any]:
    """What fsspec calls the facts of an entry."""
    return {
        "name": path,
        "size": 0 if entry.kind is Kind.DIRECTORY else entry.size,
        "type": str(entry.kind),
        "modified": entry.modified,
        "permissions": entry.permissions,
        "target": entry.target,
        "unique": entry.unique,
    }


def _below(path: str, name: str) -> str:
    return f"{path.rstrip('/')}/{name}"


def _clear(ftp: Client, path: str, levels: int) -> None:
    """Remove a directory and so many ``levels`` of what it holds.

    DELE goes first: it removes a link that the server shows as the directory it leads to, and no directory.
    """
    try:
        ftp.remove(path)
    except PermanentError:
        for entry in ftp.scandir(path) if levels else ():
            name = _below(path, local_name(entry.name, windows=False))
            _clear(ftp, name, levels - 1) if entry.kind is Kind.DIRECTORY else ftp.remove(name)
        ftp.rmdir(path)


def _kind(ftp: Client, error: PermanentError, path: str, *, taken: bool) -> int | None:
    """The number of the system's error that a refusal stands for, None where that is not known."""
    if error.reply.code != _NOT_THERE:
        return None
    if taken and ftp.exists(path):
        return errno.EEXIST
    if _NOT_EMPTY.search(error.reply.text):
        return errno.ENOTEMPTY
    return errno.EACCES if _NOT_ALLOWED.search(error.reply.text) else errno.ENOENT


def _progress(callback: Any, done: int, total: int | None) -> None:
    if total is not None:
        callback.set_size(total)
    callback.absolute_update(done)
