"""What a client of the benchmarks is: for each row that it has part in, its command line."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.places import REPOSITORY, find_program
from benchmarks.servers.declared import Family, fill


@dataclass(frozen=True, slots=True)
class Client:
    """A client program, or a script around a library.

    Command lines are templates over ``{port}`` of the server on 127.0.0.1, ``{remote}`` (the file or directory on it,
    without a slash before), ``{local}`` (the file or directory here), ``{last}`` (the number of the last file),
    ``{repository}``, ``{python}``, and the programs in ``needs``.
    """

    name: str
    title: str
    family: Family
    commands: Mapping[str, tuple[str, ...]]
    """By row."""
    needs: tuple[str, ...] = ()
    without: Mapping[str, str] = field(default_factory=dict)
    """Rows that it cannot take part in, with the reason."""
    optional: bool = False
    """Whether it runs only when asked for by name."""
    remark: str = ""
    """A sentence for readers of the commands."""

    def missing(self) -> str:
        """Why it cannot be run here, or empty."""
        absent = [name for name in self.needs if find_program(name) is None]
        return f"not found: {', '.join(absent)}" if absent else ""

    def render(self, row: str, *, port: int, remote: str, local: Path, last: int) -> list[str]:
        """The command line for ``row``."""
        values = {
            "port": str(port),
            "remote": remote,
            "local": str(local),
            "last": f"{last:05d}",
            "repository": str(REPOSITORY),
            "python": sys.executable,
            **{name: str(find_program(name)) for name in self.needs},
        }
        return [fill(word, values) for word in self.commands[row]]

    def published(self) -> str:
        """The command lines, without any path of the machine."""
        return "\n".join(f"# {row}\n{' '.join(command)}" for row, command in self.commands.items())
