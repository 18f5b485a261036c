"""What the models of settings are made of: sections, and what is said of a setting beside its type."""

from __future__ import annotations

from fairlead.record import Record


class Meta(Record):
    """The bounds of a setting, and what it is for."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    min_length: int | None = None
    description: str = ""


class Section(Record):
    """A table of the configuration file."""

    in_short = ""
    """The only key that is needed: its value alone may stand for the table."""
