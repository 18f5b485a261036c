"""A session as ftplib sees it: commands and replies one by one, its exceptions, and its data connection."""

from __future__ import annotations

import ssl
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from ftplib import Error, error_perm, error_proto, error_temp
from typing import TYPE_CHECKING, Any, TypeVar

from fairlead.client._face import exclusively, session_of
from fairlead.client._wires.blocking import step
from fairlead.client.sync import Client
from fairlead.client.trace import Record, ReplyReceived
from fairlead.errors import (
    CertificateError,
    DeadlineError,
    FairleadError,
    ProtocolError,
    ReplyError,
    SessionLost,
    TlsError,
    TransferError,
)
from fairlead.proto.url import FtpUrl

if TYPE_CHECKING:
    from fairlead.client._control import Control
    from fairlead.integrations.ftplib.connections import DataConnection
    from fairlead.proto.reply import Reply

T = TypeVar("T")
_SERVICE_ENDS = "421"


class Dialogue:
    """A session as ftplib sees it: commands out, replies back one by one, exceptions of its own."""

    def __init__(self, host: str, port: int, encoding: str, settings: dict[str, Any]) -> None:
        client = Client(FtpUrl("ftp", host, port), tls="off", trace=self._hear, **settings)
        self.session = session_of(client)
        self.encoding = encoding
        self.connection: DataConnection | None = None
        self.due: str | None = None
        """The final reply of a transfer, which nobody asked for yet."""
        self.heard: list[Reply] = []
        """The replies since the last command."""

    @property
    def control(self) -> Control:
        """The control connection."""
        return self.session.control

    def run(self, operation: Coroutine[Any, Any, T], holder: DataConnection | None = None) -> T:
        """Run ``operation`` to its end. Raises what ftplib would raise."""
        with self._as_in_ftplib():
            return step(exclusively(self.session, operation, holder))

    def begin(self) -> None:
        """A command follows: what was heard so far is nobody's answer."""
        self.heard.clear()
        self.due = None

    def sent(self, command: str) -> tuple[str, str]:
        """The verb and the argument of ``command``, as they are sent."""
        verb, _, argument = command.encode(self.encoding).decode("utf-8", "surrogateescape").partition(" ")
        return verb, argument

    def shown(self, reply: Reply) -> str:
        """The reply as the server sent it, as far as a person sees."""
        if len(reply.lines) < 2:
            text = f"{reply.code} {reply.text}"
        else:
            first, *inner, last = reply.lines
            text = "\n".join([f"{reply.code}-{first}", *inner, f"{reply.code} {last}"])
        return text.encode("utf-8", "surrogateescape").decode(self.encoding, "surrogateescape")

    def _hear(self, record: Record | str) -> None:
        if isinstance(record, ReplyReceived):
            self.heard.append(record.reply)

    @contextmanager
    def _as_in_ftplib(self) -> Iterator[None]:
        try:
            yield
        except ReplyError as error:
            raise _refusal(self.shown(error.reply)) from error
        except TransferError as error:
            reply: Reply | None = error.evidence.get("reply")
            if reply is None or reply.completed:
                raise ConnectionError(str(error)) from error
            raise _refusal(self.shown(reply)) from error
        except SessionLost as error:
            if self.session.connected or not self.control.lost.startswith(_SERVICE_ENDS):
                raise EOFError(str(error)) from error
            raise error_temp(self.control.lost) from error
        except DeadlineError as error:
            raise TimeoutError(str(error)) from error
        except CertificateError as error:
            raise ssl.SSLCertVerificationError(str(error)) from error
        except TlsError as error:
            raise ssl.SSLError(str(error)) from error
        except ProtocolError as error:
            raise error_proto(str(error)) from error
        except FairleadError as error:
            raise OSError(str(error)) from error


def _refusal(text: str) -> Error:
    return error_temp(text) if text.startswith("4") else error_perm(text)
