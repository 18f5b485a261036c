"""From the server to here."""

from __future__ import annotations

import os
import shlex
import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from fairlead.cli.shell.commands.directories import is_pattern, matching
from fairlead.cli.shell.moving import check_resumable, finished, name_here, watched
from fairlead.cli.shell.verbs import verb
from fairlead.errors import ConfigError
from fairlead.proto.entry import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fairlead.cli.shell.state import Shell
    from fairlead.cli.shell.words import Word


@verb("get", "REMOTE [LOCAL]", aliases=("recv",))
def get(shell: Shell, remote: str, local: str | None = None) -> None:
    """Fetch a file, under its own name or as LOCAL; - is the screen."""
    _fetch(shell, remote, local)


@verb("reget", "REMOTE [LOCAL]")
def reget(shell: Shell, remote: str, local: str | None = None) -> None:
    """Go on with a file that was fetched in part."""
    check_resumable(shell)
    _fetch(shell, remote, local, resume=True)


@verb("newer", "REMOTE [LOCAL]")
def newer(shell: Shell, remote: str, local: str | None = None) -> None:
    """Fetch a file if it changed on the server after the one that is here."""
    there = shell.client.mtime(remote)
    if there is None:
        message = f"the server does not tell when {remote} was changed; get fetches it in any case"
        raise ConfigError(message)
    target = _target(shell, remote, local)
    assert isinstance(target, Path)
    if target.exists() and datetime.fromtimestamp(target.stat().st_mtime, UTC) >= there:
        shell.tell(f"{target} is as new as {remote}")
        return
    _fetch(shell, remote, local)


@verb("mget", "REMOTE...")
def mget(shell: Shell, *remotes: Word) -> None:
    """Fetch all files that the patterns match, into the directory one is in here."""
    for name in shell.chosen("mget", _files(shell, remotes)):
        _fetch(shell, name, None)


@verb("mreget", "REMOTE...")
def mreget(shell: Shell, *remotes: Word) -> None:
    """Go on with all files that the patterns match and that were fetched in part; fetch the others."""
    check_resumable(shell)
    for name in shell.chosen("mreget", _files(shell, remotes)):
        _fetch(shell, name, None, resume=True)


@verb("cat", "REMOTE...")
def cat(shell: Shell, *remotes: str) -> None:
    """Print files."""
    for remote in remotes:
        _fetch(shell, remote, "-")


@verb("page", "REMOTE", aliases=("less", "more"))
def page(shell: Shell, remote: str) -> None:
    """Show a file page by page, with the program that PAGER names (less unless it is set)."""
    import subprocess

    if not (shell.interactive and sys.stdout.isatty()):
        _fetch(shell, remote, "-")
        return
    content = BytesIO()
    shell.client.download(remote, content, text=shell.text)
    command = shlex.split(os.environ.get("PAGER") or "less")
    try:
        subprocess.run(command, input=content.getvalue(), check=False)  # noqa: S603 - the user's own pager
    except FileNotFoundError:
        message = f"there is no program {command[0]}; PAGER names another one, cat needs none"
        raise ConfigError(message) from None


def _files(shell: Shell, remotes: Iterable[Word]) -> list[str]:
    """What the words name, patterns for what they match, but for directories."""
    names: list[str] = []
    for word in remotes:
        if is_pattern(shell, word):
            names += [entry.name for entry in matching(shell, word) if entry.kind in {Kind.FILE, Kind.LINK}]
        else:
            names.append(word)
    return names


def _fetch(shell: Shell, remote: str, local: str | None, *, resume: bool = False) -> None:
    if local == "-":
        sys.stdout.flush()
        shell.client.download(remote, sys.stdout.buffer, text=shell.text)
        sys.stdout.buffer.flush()
        return
    target = _target(shell, remote, local)
    with watched(shell, remote, "reget") as on_progress:
        result = shell.client.download(
            remote,
            target,
            resume=resume,
            text=shell.text,
            times=shell.on["preserve"],
            on_progress=on_progress,
        )
    finished(shell, remote, str(target), result)


def _target(shell: Shell, remote: str, local: str | None) -> Path:
    if local is None:
        return name_here(shell, remote)
    path = Path(local).expanduser()
    return path / name_here(shell, remote) if path.is_dir() else path
