"""Clients that nobody here wrote, each driven the same way: fetch, store, list, and go on where a transfer ended."""

from __future__ import annotations

import ftplib
import os
import re
import subprocess
from abc import ABC, abstractmethod
from typing import IO, TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from tests.peers.programs import program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.peers.servers import Server

DEADLINE = 30.0
ALL = {"v4": ("epsv", "pasv", "eprt", "port"), "v6": ("epsv", "eprt")}
OLD = {"v4": ("pasv", "port"), "v6": ("epsv", "eprt")}
"""What a client has that takes each family's first words: RFC 959's for IPv4, RFC 2428's for IPv6."""


class Refused(Exception):
    """The client ended with an error; the text is what it said."""


class Caller(ABC):
    """A client program; ``name`` of a remote file is in octets, as the server keeps it."""

    modes: ClassVar[Mapping[str, Sequence[str]]] = ALL
    """Its modes in each family."""
    stores: ClassVar[bool] = True
    """Whether it can upload."""
    resumes_storing: ClassVar[bool] = True
    """Whether it can go on with an upload."""

    @abstractmethod
    def fetch(self, server: Server, mode: str, name: bytes, target: Path, *, resume: bool = False) -> None:
        """Download into ``target``. Raises Refused."""

    @abstractmethod
    def store(self, server: Server, mode: str, source: Path, name: bytes, *, resume: int = 0) -> None:
        """Upload; ``resume`` says how many octets the server has already. Raises Refused."""

    @abstractmethod
    def names(self, server: Server, mode: str, place: Path) -> set[bytes]:
        """The names in the root directory; ``place`` is for what the client writes meanwhile. Raises Refused."""


def run(
    command: Sequence[str | bytes | Path],
    *,
    script: bytes | None = None,
    source: IO[bytes] | None = None,
    place: Path | None = None,
    deadline: float = DEADLINE,
) -> bytes:
    """Run a program to its end, with ``script`` or ``source`` as its input; returns its output. Raises Refused."""
    environment = {**os.environ, "HOME": os.fspath(place or "/nonexistent"), "LC_ALL": "C.UTF-8"}
    words: dict[str, Any] = {"input": script} if script is not None else {"stdin": source or subprocess.DEVNULL}
    done: subprocess.CompletedProcess[bytes] = subprocess.run(
        command, capture_output=True, timeout=deadline, cwd=place, env=environment, check=False, **words
    )
    if done.returncode:
        raise Refused(f"{command!r}: {done.returncode}: {(done.stdout + done.stderr).decode(errors='replace')}")
    return done.stdout


def _lines(octets: bytes) -> set[bytes]:
    """The names of a bare listing, without the directory that some servers put before each."""
    return {line.removeprefix(b"/").removeprefix(b"./") for line in octets.replace(b"\r", b"").split(b"\n") if line}


class Curl(Caller):
    _options: ClassVar = {
        "epsv": [],
        "pasv": ["--disable-epsv"],
        "eprt": ["--ftp-port", "-"],
        "port": ["--ftp-port", "-", "--disable-eprt"],
    }

    def _run(self, server: Server, mode: str, name: bytes, *options: str | Path) -> bytes:
        login = ["--user", f"{server.user}:{server.password}"]
        url = f"{server.url}/{quote(name, safe='')}"
        return run([program("curl"), "--globoff", "-sS", *login, *self._options[mode], *options, url])

    def fetch(self, server: Server, mode: str, name: bytes, target: Path, *, resume: bool = False) -> None:
        self._run(server, mode, name, *(["-C", "-"] if resume else []), "-o", target)

    def store(self, server: Server, mode: str, source: Path, name: bytes, *, resume: int = 0) -> None:
        self._run(server, mode, name, *(["-C", "-"] if resume else []), "-T", source)

    def names(self, server: Server, mode: str, place: Path) -> set[bytes]:
        return _lines(self._run(server, mode, b"", "--list-only"))


class Lftp(Caller):
    modes: ClassVar = {"v4": ("epsv", "pasv", "port"), "v6": ("epsv",)}  # over IPv6 its EPRT names :: and it gives up
    _settings: ClassVar = {
        "epsv": "set ftp:passive-mode on; set ftp:prefer-epsv on; ",
        "pasv": "set ftp:passive-mode on; set ftp:prefer-epsv off; ",
        # Told of LANG it takes the server for one of UTF-8 only; EPSV it tries only where it was told of that.
        "port": "set ftp:passive-mode off; set ftp:use-feat no; ",
    }
    # One octet is one character: names need not be UTF-8.
    _common = "set cmd:fail-exit yes; set xfer:clobber yes; set net:max-retries 1; set ftp:use-utf8 no; "
    _common += "set ftp:use-mode-z no; "  # sizes are compared as they are on the wire
    _common += "set ftp:charset ISO-8859-1; set file:charset ISO-8859-1; "

    def script(self, server: Server, mode: str, command: bytes) -> bytes:
        """Run one lftp command in a session."""
        opening = f"{self._common}{self._settings[mode]}open -u '{server.user},{server.password}' {server.url}; "
        return run([program("lftp"), "--norc", "-c", opening.encode() + command])

    def fetch(self, server: Server, mode: str, name: bytes, target: Path, *, resume: bool = False) -> None:
        self.script(server, mode, b"get %s%s -o %s" % (b"-c " * resume, _quoted(b"./" + name), _quoted(bytes(target))))

    def store(self, server: Server, mode: str, source: Path, name: bytes, *, resume: int = 0) -> None:
        words = (b"-c " * bool(resume), _quoted(bytes(source)), _quoted(b"./" + name))
        self.script(server, mode, b"put %s%s -o %s" % words)

    def names(self, server: Server, mode: str, place: Path) -> set[bytes]:
        return _lines(self.script(server, mode, b"nlist"))


class Scripted(Caller):
    """A client that reads its commands from standard input: tnftp and inetutils' ftp, both children of BSD's."""

    def __init__(self, name: str, *, options: Mapping[str, str], epsv4: Mapping[str, bool]) -> None:
        self._name = name
        self._options = options
        self._toggle = epsv4

    def _run(self, server: Server, mode: str, place: Path, *commands: bytes) -> None:
        script = [b"user %s %s" % (server.user.encode(), _escaped(server.password.encode())), b"binary"]
        if ":" not in server.host and self._toggle[mode]:
            script.append(b"epsv4")
        opening = b"open %s %d" % (server.host.encode(), server.port)
        text = b"\n".join([opening, *script, *commands, b"bye", b""])
        said = run([program(self._name), "-n", "-v", *self._options[mode].split()], script=text, place=place)
        # These end with status 0 whatever happened: the server's own words count.
        refusals = [
            line for line in said.splitlines() if line[:1] in b"45" and line[:3].isdigit() and line[3:4] == b" "
        ]
        if refusals:
            raise Refused(said.decode(errors="replace"))

    def fetch(self, server: Server, mode: str, name: bytes, target: Path, *, resume: bool = False) -> None:
        verb = b"reget" if resume else b"get"
        self._run(server, mode, target.parent, b"%s %s %s" % (verb, _escaped(name), _escaped(bytes(target))))

    def store(self, server: Server, mode: str, source: Path, name: bytes, *, resume: int = 0) -> None:
        restart = [b"restart %d" % resume] if resume else []
        self._run(server, mode, source.parent, *restart, b"put %s %s" % (_escaped(bytes(source)), _escaped(name)))

    def names(self, server: Server, mode: str, place: Path) -> set[bytes]:
        self._run(server, mode, place, b"nlist . names")
        return _lines((place / "names").read_bytes())


class Ncftp(Caller):
    modes: ClassVar = {"v4": ("pasv", "port"), "v6": ()}
    resumes_storing: ClassVar = False  # it sends the whole file behind what the server has
    _options: ClassVar = {"pasv": "-F", "port": "-E"}

    def _run(self, name: str, server: Server, mode: str, *options: str | bytes | Path) -> bytes:
        login = ["-u", server.user, "-p", server.password, "-P", str(server.port)]
        return run([program(name), self._options[mode], *login, *options])

    def fetch(self, server: Server, mode: str, name: bytes, target: Path, *, resume: bool = False) -> None:
        self._run("ncftpget", server, mode, "-z" if resume else "-Z", "-V", "-C", server.host, b"./" + name, target)

    def store(self, server: Server, mode: str, source: Path, name: bytes, *, resume: int = 0) -> None:
        self._run("ncftpput", server, mode, "-Z", "-V", "-C", server.host, source, b"./" + name)

    def names(self, server: Server, mode: str, place: Path) -> set[bytes]:
        return _lines(self._run("ncftpls", server, mode, "-1", f"{server.url}/"))


class Wget(Caller):
    modes: ClassVar = OLD
    stores: ClassVar = False
    resumes_storing: ClassVar = False
    _row = re.compile(rb"[dl-]\S{9} +\d+ \S+ +\S+ +\d+ \w{3} [ \d]\d [ \d:]{5} (.+)")

    def _run(self, server: Server, mode: str, place: Path, name: bytes, *options: str | Path) -> None:
        passive = "--passive-ftp" if mode in {"pasv", "epsv"} else "--no-passive-ftp"
        login = ["--user", server.user, "--password", server.password]
        url = f"{server.url}/{quote(name, safe='')}"
        run([program("wget"), "-q", "--tries", "1", passive, *login, *options, url], place=place)

    def fetch(self, server: Server, mode: str, name: bytes, target: Path, *, resume: bool = False) -> None:
        self._run(server, mode, target.parent, name, *(["-c"] if resume else []), "-O", target)

    def store(self, server: Server, mode: str, source: Path, name: bytes, *, resume: int = 0) -> None:
        raise NotImplementedError

    def names(self, server: Server, mode: str, place: Path) -> set[bytes]:
        self._run(server, mode, place, b"", "--no-remove-listing", "-O", place / "index.html")
        rows = (place / ".listing").read_bytes().splitlines()
        found = {match[1] for row in rows if (match := self._row.fullmatch(row))}
        assert len(found) == len(rows), rows
        return found - {b".", b".."}


class Ftplib(Caller):
    modes: ClassVar = OLD

    def _session(self, server: Server, mode: str) -> ftplib.FTP:
        session = ftplib.FTP(timeout=DEADLINE, encoding="utf-8")
        session.connect(server.host, server.port)
        session.login(server.user, server.password)
        session.set_pasv(mode in {"pasv", "epsv"})
        # Latin-1 is the one encoding that carries any octet.
        session.encoding = "latin-1"
        assert session.sock is not None
        session.file = session.sock.makefile("r", encoding="latin-1")
        return session

    def fetch(self, server: Server, mode: str, name: bytes, target: Path, *, resume: bool = False) -> None:
        with self._session(server, mode) as session, target.open("ab" if resume else "wb") as file:
            session.retrbinary("RETR " + name.decode("latin-1"), file.write, rest=file.tell() or None)

    def store(self, server: Server, mode: str, source: Path, name: bytes, *, resume: int = 0) -> None:
        with self._session(server, mode) as session, source.open("rb") as file:
            file.seek(resume)
            session.storbinary("STOR " + name.decode("latin-1"), file, rest=resume or None)

    def names(self, server: Server, mode: str, place: Path) -> set[bytes]:
        with self._session(server, mode) as session:
            return {name.encode("latin-1") for name in session.nlst()}


def _quoted(octets: bytes) -> bytes:
    return b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _escaped(octets: bytes) -> bytes:
    return re.sub(rb"[^\w\x80-\xff]", rb"\\\g<0>", octets)


CLIENTS: dict[str, Caller] = {
    "curl": Curl(),
    "lftp": Lftp(),
    "tnftp": Scripted(
        "tnftp",
        options={"epsv": "-p", "pasv": "-p", "eprt": "-A", "port": "-A"},
        epsv4={"epsv": False, "pasv": True, "eprt": False, "port": True},
    ),
    "inetutils-ftp": Scripted(
        "inetutils-ftp",
        options={"epsv": "-p", "pasv": "-p", "eprt": "-A", "port": "-A"},
        epsv4={"epsv": True, "pasv": False, "eprt": True, "port": False},
    ),
    "ncftp": Ncftp(),
    "wget": Wget(),
    "ftplib": Ftplib(),
}
