"""Here: directories of this machine, and its programs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fairlead.cli.shell.commands.directories import columns
from fairlead.cli.shell.verbs import verb
from fairlead.client.trace import printable

if TYPE_CHECKING:
    from fairlead.cli.shell.state import Shell


@verb("lcd", "[FOLDER]", online=False)
def lcd(shell: Shell, folder: str = "~") -> None:
    """Go to another directory here; to the home directory without a word."""
    os.chdir(Path(folder).expanduser())
    shell.tell(os.getcwd())


@verb("lpwd", online=False)
def lpwd(shell: Shell) -> None:
    """Print the directory one is in here."""
    print(os.getcwd())


@verb("lls", "[FOLDER]", online=False)
def lls(shell: Shell, folder: str = ".") -> None:
    """List names here."""
    with os.scandir(Path(folder).expanduser()) as found:
        names = sorted(printable(entry.name) + ("/" if entry.is_dir() else "") for entry in found)
    for line in columns(names, shutil.get_terminal_size().columns if sys.stdout.isatty() else 0):
        print(line)


def run_locally(command: str) -> int:
    """Run ``command`` by the user's own shell, which is started without one; returns its exit status."""
    program = os.environ.get("SHELL") or "/bin/sh"
    sys.stdout.flush()
    words = [program, "-c", command] if command.strip() else [program]
    return subprocess.run(words, check=False).returncode  # noqa: S603 - the user's own command
