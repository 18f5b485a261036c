"""``docs/reference/faults.md``: what the misbehaving server can be told to do wrong, as it is declared."""

from __future__ import annotations

from dataclasses import MISSING, fields
from pathlib import Path

from fairlead.testing import FAULTS, Fault

PAGE = Path("docs/reference/faults.md")

HEAD = """\
# Faults of the misbehaving server

This page is generated: `make docs` writes it from the declarations in `src/fairlead/testing/faults`. Change those, not
the page. [Testing FTP code](../guides/testing.md) shows how they are used.

*How bad*: the arguments of the class, with what they are when the fault is given by its name.

| fault | the server | how bad | breaks |
|---|---|---|---|
"""


def page() -> str:
    """The page."""
    return HEAD + "".join(map(_row, FAULTS.values()))


def _row(kind: type[Fault]) -> str:
    does = (kind.__doc__ or "").strip().partition("\n")[0].replace("``", "`")
    place = f"`{kind.__module__.rpartition('.')[2]}.{kind.__name__}`"
    return f"| `{kind.name}`<br>{place} | {does[0].lower()}{does[1:]} | {_arguments(kind)} | {kind.breaks} |\n"


def _arguments(kind: type[Fault]) -> str:
    known = [f"`{each.name}={each.default!r}`" for each in fields(kind) if each.default is not MISSING]
    return ", ".join("`names=…`" if each.startswith("`names=(") else each for each in known)
