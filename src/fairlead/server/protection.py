"""How a session's connections are protected: what AUTH, PBSZ, PROT, CCC and SSCN have settled (RFC 2228, RFC 4217)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairlead.server.certificates import SessionContext
    from fairlead.tls import Tls

CLEAR, PRIVATE = "C", "P"
"""The protection levels that TLS has (RFC 4217 section 9)."""


class Protection:
    """What a session has agreed on; a plain record, the rules are in the commands."""

    __slots__ = ("buffer_size", "calls", "context", "implicit", "level", "server_name", "tls", "warned")

    def __init__(self, *, implicit: bool) -> None:
        self.implicit = implicit
        """Whether TLS came before FTP and stays as long as the connection."""
        self.context: SessionContext | None = None
        """The session's own: no other session's tickets resume under it."""
        self.tls: Tls | None = None
        """That of the control connection while it is protected."""
        self.server_name = ""
        """The name that the client called when TLS began (SNI)."""
        self.warned = False
        """Whether the log has that this client does not resume TLS sessions."""
        self.reset()

    def reset(self) -> None:
        """Forget what commands have set."""
        self.level = PRIVATE if self.implicit else CLEAR
        self.buffer_size = False
        """Whether PBSZ was given."""
        self.calls = False
        """SSCN: on data connections this end is the client of TLS."""

    def clear(self) -> None:
        """Forget TLS, too (REIN)."""
        self.context = self.tls = None
        self.server_name = ""
        self.reset()

    @property
    def described(self) -> str:
        """Version and cipher of the control connection, such as ``TLSv1.3 TLS_AES_256_GCM_SHA384``; empty in clear."""
        return f"{self.tls.version} {self.tls.cipher}" if self.tls is not None else ""
