"""For those who test FTP code: a real server in a fixture, one that misbehaves on demand, and a scripted peer.

::

    def test_download(ftp_server, tmp_path):                    # the fixtures of fairlead.testing.plugin
        (ftp_server.root / "a.txt").write_text("hello")
        my_code.fetch(ftp_server.url, "a.txt", tmp_path)

    def test_lost_reply(misbehaving_ftp_server):
        server = misbehaving_ftp_server("lost-226")

The names are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fairlead.testing.faults import FAULTS, Fault
    from fairlead.testing.misbehaving import MisbehavingServer, misbehave
    from fairlead.testing.peer import Peer, Scripted, scripted
    from fairlead.testing.served import FtpServer, serve

__all__ = ["FAULTS", "Fault", "FtpServer", "MisbehavingServer", "Peer", "Scripted", "misbehave", "scripted", "serve"]

_HOMES = {
    "FAULTS": "faults",
    "Fault": "faults",
    "FtpServer": "served",
    "MisbehavingServer": "misbehaving",
    "Peer": "peer",
    "Scripted": "peer",
    "misbehave": "misbehaving",
    "scripted": "peer",
    "serve": "served",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'fairlead.testing' has no attribute {name!r}")
    return getattr(import_module(f"fairlead.testing.{home}"), name)
