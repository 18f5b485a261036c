"""Names that a server made up, as names of files here: none leads out of the directory that the user chose."""

from __future__ import annotations

import os
import re
from pathlib import Path

from fairlead.errors import UnsafeName

_DEVICES = re.compile(r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])\s*(?:\..*)?", re.IGNORECASE)
_NOT_ON_WINDOWS = re.compile(r'[\x00-\x1f<>:"/\\|?*]')


def local_name(name: str, *, windows: bool = os.name == "nt") -> str:
    """``name``, where it can be that of a file in any directory.

    ``windows`` also forbids drives, backslashes, devices and what else Windows would read as another name. Raises
    UnsafeName.
    """
    lost = name in {"", ".", ".."} or "/" in name or "\0" in name
    if windows:
        lost = lost or _NOT_ON_WINDOWS.search(name) is not None or _DEVICES.fullmatch(name) is not None
        lost = lost or name.endswith((".", " "))
    if lost:
        message = (
            f"the server's name {name!r} would lead elsewhere than into the directory; choose the file's name here"
        )
        raise UnsafeName(message)
    return name


def inside(directory: str | os.PathLike[str], name: str) -> Path:
    """The file ``name`` of a server in the local ``directory``. Raises UnsafeName."""
    return Path(directory) / local_name(name)
