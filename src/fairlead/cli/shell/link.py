"""A session with one server: it comes back after it was lost, and remembers what directories hold."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fairlead.cli.connection import begin
from fairlead.client.trace import TlsBegan, TlsEnded, printable
from fairlead.errors import FairleadError

if TYPE_CHECKING:
    from fairlead.client.settings import ModeSetting, Password
    from fairlead.client.sync import Client
    from fairlead.client.trace import Record, Trace
    from fairlead.proto.entry import Entry
    from fairlead.proto.url import FtpUrl


class Link:
    """A session with the server of ``url``; ``make`` gives a client that tells its dialogue to the trace it gets.

    ``tell`` says a sentence to the user, ``show`` and ``keep`` hear of the dialogue.
    """

    def __init__(
        self, url: FtpUrl, make: Callable[[Trace], Client], *, tell: Callable[[str], None], show: Trace, keep: Trace
    ) -> None:
        self.url = url
        self.args = argparse.Namespace()
        """The options that the session was begun with."""
        self.login: tuple[str | None, Password] = (url.user, url.password)
        """The user (None for anonymous) and the password, which is asked for once at most."""
        self.directory = ""
        """Where on the server; what PWD said last."""
        self.previous = ""
        """Where before the last change."""
        self.home = ""
        """Where the session began: the directory of the URL."""
        self.protocol = ""
        """The version of TLS; empty in clear."""
        self.silent = False
        """Whether the user is not to hear of the dialogue for a while."""
        self._show = show
        self._keep = keep
        self._tell = tell
        self._client = make(self._hear)
        self._listings: dict[str, list[Entry]] = {}

    @property
    def client(self) -> Client:
        """The client, connected; a session that was lost begins anew, in the directory where it was.

        Raises what :meth:`open` raises.
        """
        if not self._client.alive():
            self._tell(f"the session with {self.url.host} is over; connecting again")
            here = self.directory
            self.open()
            if here and here != self.directory:
                self.go(here)
        return self._client

    @property
    def connected(self) -> bool:
        """Whether the session stands, as far as is known."""
        return self._client.connected

    def open(self) -> None:
        """Connect, log in, and go to the directory of the URL. Raises as the client does."""
        self.protocol = ""
        self.forget()
        try:
            begin(self._client)
            self.home = self.directory = self._where()
        except BaseException:
            self._client.close()
            raise

    def close(self) -> None:
        """End the session."""
        self._client.close()

    def settle(self) -> None:
        """Bring the session in step after what was under way was given up: ABOR goes out, and its replies are read.

        Raises FairleadError.
        """
        if self._client.connected:
            self._client.command("NOOP")

    @property
    def mode(self) -> ModeSetting:
        """How data connections are made."""
        return self._client.mode

    def set_mode(self, mode: ModeSetting) -> None:
        """Make data connections in ``mode`` from now on."""
        self._client.mode = mode

    def go(self, directory: str) -> None:
        """Change the working directory. Raises ReplyError."""
        self.client.cwd(directory)
        self.moved()

    def moved(self) -> None:
        """Ask where the session is, after it went somewhere. Raises SessionLost, DeadlineError."""
        self.previous, self.directory = self.directory, self._where()

    def entries(self, directory: str) -> list[Entry]:
        """What the server lists for ``directory``, from memory where nothing was changed since.

        Raises FairleadError.
        """
        place = self.absolute(directory)
        if place not in self._listings:
            self._listings[place] = self.client.scandir(directory)
        return self._listings[place]

    def remember(self, directory: str, entries: list[Entry]) -> None:
        """Keep a listing that was made anyhow."""
        self._listings[self.absolute(directory)] = entries

    def forget(self) -> None:
        """Ask for every listing anew."""
        self._listings.clear()

    def absolute(self, path: str) -> str:
        """``path`` from the root."""
        joined = path if path.startswith("/") else f"{self.directory}/{path}"
        return "/" + "/".join(part for part in joined.split("/") if part not in {"", "."})

    def here(self) -> FtpUrl:
        """The URL of the working directory, without a password."""
        inside = self.directory == self.home or self.directory.startswith(f"{self.home.rstrip('/')}/")
        below = self.directory[len(self.home) :].strip("/")
        segments = (*self.url.segments, *filter(None, below.split("/"))) if inside else (self.directory,)
        return self.url.replace(password=None, segments=segments, directory=True)

    def url_of(self, directory: str) -> FtpUrl:
        """The URL of a directory, with the login of the session, for programs that begin sessions of their own."""
        user, password = self.login
        secret = password() if callable(password) else password
        return self.url.replace(user=user, password=secret, segments=(self.absolute(directory),), directory=True)

    def options(self) -> dict[str, Any]:
        """What the session was begun with, of the options that all verbs of the command line share."""
        from fairlead.cli.options import SessionOptions

        return {name: getattr(self.args, name) for name in SessionOptions("").defaults}

    def describe(self) -> str:
        """Where the session is, as whom, and how well protected."""
        user = self.url.user or "anonymous"
        safe = self.protocol or "in clear"
        return printable(f"connected to {self.url.host} as {user} ({safe}), in {self.directory or '?'}")

    def _where(self) -> str:
        try:
            return self._client.pwd()
        except FairleadError:
            if not self._client.connected:
                raise
            return ""  # a server need not tell

    def _hear(self, record: Record) -> None:
        if isinstance(record, TlsBegan) and record.connection == "control":
            self.protocol = record.security.version
        elif isinstance(record, TlsEnded):
            self.protocol = ""
        self._keep(record)
        if not self.silent:
            self._show(record)
