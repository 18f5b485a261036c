"""From here to the server."""

from __future__ import annotations

import glob as patterns
from pathlib import Path
from typing import TYPE_CHECKING

from fairlead.cli.shell.moving import check_resumable, finished, name_there, watched
from fairlead.cli.shell.verbs import verb
from fairlead.errors import ConfigError, NoSuchName

if TYPE_CHECKING:
    from fairlead.cli.shell.state import Shell
    from fairlead.cli.shell.words import Word


@verb("put", "LOCAL [REMOTE]", aliases=("send",), changes=True)
def put(shell: Shell, local: str, remote: str | None = None) -> None:
    """Store a file, under its own name or as REMOTE; a REMOTE that ends with / is a directory."""
    _store(shell, local, remote)


@verb("reput", "LOCAL [REMOTE]", changes=True)
def reput(shell: Shell, local: str, remote: str | None = None) -> None:
    """Go on with a file that was stored in part."""
    check_resumable(shell)
    _store(shell, local, remote, resume=True)


@verb("append", "LOCAL [REMOTE]", changes=True)
def append(shell: Shell, local: str, remote: str | None = None) -> None:
    """Add a file to the end of one on the server."""
    source, target = _ends(shell, local, remote)
    with watched(shell, local) as on_progress:
        result = shell.client.append(source, target, text=shell.text, on_progress=on_progress)
    finished(shell, local, target, result)


@verb("mput", "LOCAL...", changes=True)
def mput(shell: Shell, *locals_: Word) -> None:
    """Store all files that the patterns match, in the directory one is in on the server."""
    names: list[str] = []
    for word in locals_:
        if not (shell.on["glob"] and word.is_pattern):
            names.append(word)
            continue
        found = sorted(name for name in patterns.glob(str(Path(word.pattern).expanduser())) if Path(name).is_file())
        if not found:
            message = f"nothing here matches {word}; lls shows what there is"
            raise NoSuchName(message)
        names += found
    for name in shell.chosen("mput", names):
        _store(shell, name, None)


def _store(shell: Shell, local: str, remote: str | None, *, resume: bool = False) -> None:
    source, target = _ends(shell, local, remote)
    with watched(shell, local, "reput") as on_progress:
        if shell.on["sunique"]:
            result = shell.client.upload_unique(source, target, text=shell.text, on_progress=on_progress)
        else:
            result = shell.client.upload(
                source,
                target,
                resume=resume,
                text=shell.text,
                times=shell.on["preserve"],
                on_progress=on_progress,
            )
    finished(shell, local, result.path, result)


def _ends(shell: Shell, local: str, remote: str | None) -> tuple[Path, str]:
    """The file here and its name there. Raises ConfigError for a directory, OSError where there is no file."""
    source = Path(local).expanduser()
    if source.is_dir():
        message = f"{local} is a directory; put takes files"
        raise ConfigError(message)
    source.stat()
    if remote is None:
        return source, name_there(shell, local)
    return source, f"{remote}{name_there(shell, local)}" if remote.endswith("/") else remote
