"""What a server of the benchmarks is: a declaration, from which its start and the published configuration follow."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from benchmarks.places import PEERS, PROGRAMS, REPOSITORY, find_program
from fairlead.config.self_signed import self_signed


class Family(Enum):
    """Whom a server is compared as."""

    FAIRLEAD = "Fairlead"
    PYTHON = "Python"
    C = "C"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Protection:
    """What a server is given beside its configuration for the rows under TLS; ``{certificate}`` has the key as well."""

    arguments: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    """Text at the end of its files."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server in one configuration.

    Command lines and files are templates over ``{root}`` (the tree to serve), ``{scratch}`` (a folder of its own),
    ``{port}``, ``{cpus}``, ``{peers}``, ``{repository}``, ``{python}``, ``{certificate}``, and the programs in
    ``needs``.
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
    tls: Protection | None = None
    """None where it speaks no TLS."""
    remark: str = ""
    """A sentence for readers of the configuration."""

    def missing(self) -> str:
        """Why it cannot be started here, or empty."""
        if self.needs_root and os.geteuid() != 0:
            return "needs root"
        absent = [name for name in self.needs if find_program(name) is None and not (PROGRAMS / name).exists()]
        return f"not found: {', '.join(absent)}" if absent else ""

    def refuses(self, row: str, *, tls: bool = False) -> str:
        """Why it has no part in ``row``, one under ``tls`` or in clear, or empty."""
        if self.only and row not in self.only:
            return "not a row of this configuration"
        if tls and self.tls is None:
            return "speaks no TLS here"
        return self.without.get(row, "")

    def protected(self) -> Server:
        """The same server as it is started for the rows under TLS."""
        assert self.tls is not None
        files = {name: text + self.tls.files.get(name, "") for name, text in self.files.items()}
        return replace(self, command=(*self.command, *self.tls.arguments), files=files)

    def render(self, *, root: Path, scratch: Path, port: int) -> list[str]:
        """Write the configuration, run the set-up, and return the command line."""
        values = {
            "root": str(root),
            "scratch": str(scratch),
            "certificate": self_signed(scratch) if self.tls is not None else "",
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
        if self.tls is not None:
            more = [
                " ".join(self.tls.arguments),
                *(f"# {name}\n{text.strip()}" for name, text in self.tls.files.items()),
            ]
            parts.append("# for the rows under TLS\n" + "\n".join(filter(None, more)))
        return "\n\n".join(parts)


def fill(template: str, values: Mapping[str, str]) -> str:
    """Replace each ``{name}`` that ``values`` knows; other braces stay."""
    for name, value in values.items():
        template = template.replace("{" + name + "}", value)
    return template
