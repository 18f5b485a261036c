"""Whole directories, made alike."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from fairlead.cli.shell.moving import name_here, name_there
from fairlead.cli.shell.verbs import verb

if TYPE_CHECKING:
    from fairlead.cli.shell.state import Shell
    from fairlead.proto.url import FtpUrl

_OPTIONS = "[-n] [--delete] [--newer] [--verify]"


@verb("mirror", f"{_OPTIONS} DIRECTORY [FOLDER]")
def mirror(shell: Shell, directory: str, folder: str | None = None, *, flags: Iterable[str] = ()) -> int:
    """Make a directory here like one on the server, several files at a time.

    -n only shows what would be done, --delete removes what the server does not have, --newer replaces files by newer
    ones only, --verify compares checksums. fairlead mirror has more options.
    """
    target = name_here(shell, directory.rstrip("/")) if folder is None else Path(folder).expanduser()
    return _run(shell, flags, source=shell.link.url_of(directory), target=str(target))


@verb("rmirror", f"{_OPTIONS} FOLDER [DIRECTORY]", changes=True)
def rmirror(shell: Shell, folder: str, directory: str | None = None, *, flags: Iterable[str] = ()) -> int:
    """Make a directory on the server like one here; the options are those of mirror."""
    source = Path(folder).expanduser()
    target = name_there(shell, str(source.resolve())) if directory is None else directory
    return _run(shell, flags, source=str(source), target=shell.link.url_of(target))


def _run(shell: Shell, flags: Iterable[str], *, source: FtpUrl | str, target: FtpUrl | str) -> int:
    from fairlead.cli import parser_of

    args = parser_of("mirror").parse_args(["mirror", *flags, ".", "."])
    status: int = args.run(
        argparse.Namespace(**{**vars(args), **shell.link.options(), "source": source, "target": target})
    )
    return status
