"""The FTP server."""

from __future__ import annotations

from fairlead.server.server import Server
from fairlead.server.settings import Announce, Settings

__all__ = ["Announce", "Server", "Settings"]
