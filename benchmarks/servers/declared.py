"""What a server of the benchmarks is: a declaration, from which its start and the published configuration follow."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from benchmarks.places import PEERS, PROGRAMS, REPOSITORY, find_program


class Family(Enum):
    """Whom a server is compared as."""

    FAIRLEAD = "Fairlead"
    PYTHON = "Python"
    C = "C"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Server:
    """A server in one configuration.

    Command lines and files are templates over ``{root}`` (the tree to serve), ``{scratch}`` (a folder of its own),
    ``{port}``, ``{cpus}``, ``{peers}``, ``{repository}``, ``{python}`` and the programs in ``needs``.
    """

    name: str
    title: str
    family: Family
    command: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    """Configuration files by name, written into the scratch folder."""
    setup: tuple[tuple[str, ...], ...] = ()
    """Commands run once before the start."""
    needs: tuple[str, ...] = ()
    """Programs looked for by name."""
    needs_root: bool = False
    only: frozenset[str] = frozenset()
    """The only rows it takes part in, where not in all."""
    without: Mapping[str, str] = field(default_factory=dict)
    """Rows that it cannot take part in, with the reason."""
    optional: bool = False
    """Whether it runs only when asked for by name."""
    remark: str = ""
    """A sentence for readers of the configuration."""

    def missing(self) -> str:
        """Why it cannot be started here, or empty."""
        if self.needs_root and os.geteuid() != 0:
            return "needs root"
        absent = [name for name in self.needs if find_program(name) is None and not (PROGRAMS / name).exists()]
        return f"not found: {', '.join(absent)}" if absent else ""

    def refuses(self, row: str) -> str:
        """Why it has no part in ``row``, or empty."""
        if self.only and row not in self.only:
            return "not a row of this configuration"
        return self.without.get(row, "")

    def render(self, *, root: Path, scratch: Path, port: int) -> list[str]:
        """Write the configuration, run the set-up, and return the command line."""
        values = {
            "root": str(root),
            "scratch": str(scratch),
            "port": str(port),
            "cpus": str(os.cpu_count() or 1),
            "peers": str(PEERS),
            "repository": str(REPOSITORY),
            "python": sys.executable,
        }
        for name in self.needs:
            built = PROGRAMS / name
            values[name] = str(built if built.exists() else find_program(name))
        for name, text in self.files.items():
            path = scratch / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fill(text, values))
            path.chmod(0o600)
        for command in self.setup:
            subprocess.run([fill(word, values) for word in command], check=True, capture_output=True, timeout=30)
        return [fill(word, values) for word in self.command]

    def published(self) -> str:
        """The configuration as text, without any path of the machine."""
        parts = [" ".join(self.command)]
        parts += [f"# {name}\n{text.strip()}" for name, text in self.files.items()]
        return "\n\n".join(parts)


def fill(template: str, values: Mapping[str, str]) -> str:
    """Replace each ``{name}`` that ``values`` knows; other braces stay."""
    for name, value in values.items():
        template = template.replace("{" + name + "}", value)
    return template
