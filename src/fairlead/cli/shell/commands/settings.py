"""Switches, and names that are changed on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.cli.shell.commands.representation import described, type_of
from fairlead.cli.shell.toggles import TOGGLES, Toggle
from fairlead.cli.shell.verbs import Verb, add, parameters, verb

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.cli.shell.state import Shell

_SYNTAX = "[on|off]"


def _switch(toggle: Toggle) -> Callable[..., None]:
    def run(shell: Shell, state: str | None = None) -> None:
        shell.on[toggle.name] = not shell.on[toggle.name] if state is None else state == "on"
        shell.tell(f"{toggle.name} {'on' if shell.on[toggle.name] else 'off'}")

    run.__doc__ = f"{toggle.does[0].upper()}{toggle.does[1:]}."
    return run


for _toggle in TOGGLES.values():
    add(Verb(_toggle.name, _switch(_toggle), _SYNTAX, (), online=False, changes=False, parameters=parameters(_SYNTAX)))


@verb("ntrans", "[CHARACTERS] [CHARACTERS]", online=False)
def ntrans(shell: Shell, these: str = "", those: str = "") -> None:
    """Change characters in the names that copies get: each of the first word to the one at its place in the second.

    Those that have none there are left out. Without a word names stay as they are.
    """
    shell.translation = {ord(this): those[place] if place < len(those) else None for place, this in enumerate(these)}


@verb("status", online=False)
def status(shell: Shell) -> None:
    """Show the session, and how everything is set."""
    print(shell.link_or_none.describe() if shell.link_or_none is not None else "there is no session")
    if shell.second is not None:
        print(f"proxy: {shell.second.describe()}")
    print(f"data connections: {described(shell.mode)}")
    print(f"files: {type_of(shell)}")
    for state in (True, False):
        print(f"{'on' if state else 'off'}: {', '.join(name for name, on in shell.on.items() if on is state)}")
