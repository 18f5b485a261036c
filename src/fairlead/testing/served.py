"""A real Fairlead server for tests of FTP code: on a free port of this machine, with a directory of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

from fairlead.accounts.memory import MemoryAccounts
from fairlead.events import Event
from fairlead.self_signed import made
from fairlead.server import Server
from fairlead.server.settings import Certificate, TlsSettings
from fairlead.storage.local import LocalStorage
from fairlead.testing.running import Running, running

HOST = "127.0.0.1"
USERS: Mapping[str, str] = {"me": "secret"}
TlsOffer: TypeAlias = Literal["off", "offer", "require", "implicit"]


def certificate_in(directory: Path, host: str = HOST) -> Path:
    """A file in ``directory`` with a certificate for ``host`` that vouches for itself, and its key."""
    path = directory / "server.pem"
    path.write_bytes(made([host, "localhost"]))
    return path


@dataclass(frozen=True)
class FtpServer:
    """A server that answers.

    ``user`` and ``password`` are those of the first of ``users``; ``ca`` is the file by which clients trust it, None
    where it has no TLS.
    """

    host: str
    port: int
    root: Path
    """The directory that it serves."""
    users: Mapping[str, str]
    tls: TlsOffer
    ca: Path | None
    running: Running

    @property
    def user(self) -> str:
        """The name of the first user; ``anonymous`` where there is none."""
        return next(iter(self.users), "anonymous")

    @property
    def password(self) -> str:
        """The password of the first user."""
        return next(iter(self.users.values()), "")

    @property
    def url(self) -> str:
        """Where it is and who may log in: ``ftp://me:secret@127.0.0.1:40021``; ``ftps://`` where TLS is implicit."""
        who = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.users else ""
        return f"{'ftps' if self.tls == 'implicit' else 'ftp'}://{who}{self.host}:{self.port}"

    @property
    def events(self) -> list[Event]:
        """What happened so far, in order, as records of :mod:`fairlead.events`."""
        return list(self.running.recorded)

    def await_event(self, kind: type[Event], **fields: Any) -> Any:
        """The first event of ``kind`` whose ``fields`` are these, waiting for it if need be.

        A client may be done before the server has said all of it. Raises AssertionError after ten seconds.
        """
        return self.running.await_event(
            kind, lambda event: all(getattr(event, name) == value for name, value in fields.items())
        )


@contextmanager
def serve(
    root: Path,
    *,
    users: Mapping[str, str] = USERS,
    write: bool = True,
    anonymous: bool = False,
    tls: TlsOffer = "off",
    host: str = HOST,
    **settings: Any,
) -> Iterator[FtpServer]:
    """Serve the directory ``root`` on a free port of ``host`` within the block.

    ``users`` are names and their passwords, who may change files unless ``write`` is False; without any, anonymous
    users read. ``tls`` offers it, requires it, or has it from the first octet, with a certificate made on the spot.
    ``settings`` are fields of :class:`fairlead.server.settings.Settings`. Raises ConfigError, TypeError for a setting
    that does not exist.
    """
    with ExitStack() as stack:
        ca = None
        if tls != "off":
            ca = certificate_in(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fairlead-"))), host)
            settings["tls"] = TlsSettings(
                (Certificate(str(ca)),),
                required=tls != "offer",
                implicit=((host, 0),) if tls == "implicit" else (),
            )
        listen = () if tls == "implicit" else ((host, 0),)
        usual: dict[str, Any] = {"active_source_port": 0, "login_delay": 0.0, "listen": listen}
        storage = stack.enter_context(closing(LocalStorage(str(root), durability="relaxed")))
        server = Server(
            storage=storage,
            accounts=MemoryAccounts.sharing(storage, users, write=write, anonymous=anonymous or not users),
            **(usual | settings),
        )
        there = stack.enter_context(running(server, Running))
        yield FtpServer(host, server.addresses[0][1], root, dict(users), tls, ca, there)
