"""What is switched on and off: declared here, typed as verbs, shown by ``status``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Toggle:
    """A switch; ``interactive`` is its state at the start where somebody types, elsewhere it is off."""

    name: str
    does: str
    interactive: bool = False
    always: bool = False
    """Whether it is on at the start also where nobody types."""


TOGGLES = {
    toggle.name: toggle
    for toggle in (
        Toggle("verbose", "show every reply of the server"),
        Toggle("debug", "show each command and reply, and what the data connections do"),
        Toggle("progress", "show a bar while files are transferred", interactive=True),
        Toggle("hash", "print # for each 64 KiB that is transferred, in place of the bar"),
        Toggle("tick", "count the bytes that are transferred, in place of the bar"),
        Toggle("bell", "ring when a file was transferred"),
        Toggle("prompt", "ask before each file of mget, mput and mdelete", interactive=True),
        Toggle("glob", "let *, ? and [a-z] match names", always=True),
        Toggle("preserve", "give copies the times of their originals"),
        Toggle("case", "make names that are all in capitals small when files are fetched"),
        Toggle("sunique", "store files under names that the server makes up (STOU)"),
        Toggle("runique", "never replace a file here: fetch name as name.1, name.2 …"),
    )
}
"""Each switch by its name."""
