"""Where a program of others is found, or which Debian package has it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

UNPACKED = Path(__file__).parents[2] / ".cache" / "peers"
"""Where ``scripts/peers`` puts the servers."""

# Programs whose package has another name.
PACKAGES = {
    "inetutils-ftp": "inetutils-ftp",
    "ncftpget": "ncftp",
    "ncftpls": "ncftp",
    "ncftpput": "ncftp",
    "proftpd": "proftpd-core",
    "pure-pw": "pure-ftpd-common",
}


def program(name: str) -> str:
    """The path of the program ``name``; skips the test where it is not there, naming its Debian package."""
    folders = [str(UNPACKED / "usr/sbin"), str(UNPACKED / "usr/bin"), os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None:
        pytest.skip(f"needs the Debian package {PACKAGES.get(name, name)}")
    return found


def need_root(reason: str) -> None:
    """Skip the test for any user but root."""
    if os.geteuid() != 0:
        pytest.skip(f"needs root: {reason}")
