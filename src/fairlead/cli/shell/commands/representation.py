"""How files and data connections are."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from fairlead.cli.shell.verbs import verb

if TYPE_CHECKING:
    from fairlead.cli.shell.state import Shell
    from fairlead.client.settings import ModeSetting

_PASSIVE = {"epsv": "eprt", "pasv": "port"}
_CALLERS = {True: "the client calls the server", False: "the server calls the client"}
_CLASSIC = {"epsv": "pasv", "eprt": "port"}
"""Each mode of RFC 2428, and the one of RFC 959 that does the same."""


@verb("type", "[ascii|binary]", online=False)
def type_(shell: Shell, kind: str | None = None) -> None:
    """Show how files are transferred, or set it: as they are, or as text whose line ends are converted."""
    if kind is not None:
        _set_type(shell, text=kind == "ascii")
    print(type_of(shell))


@verb("ascii", online=False)
def ascii_(shell: Shell) -> None:
    """Transfer text: line ends become those of this system here, and those of the server there (TYPE A)."""
    _set_type(shell, text=True)


@verb("binary", aliases=("image",), online=False)
def binary(shell: Shell) -> None:
    """Transfer files as they are (TYPE I)."""
    _set_type(shell, text=False)


@verb("mode", "[auto|epsv|pasv|eprt|port]", online=False)
def mode(shell: Shell, name: str | None = None) -> None:
    """Show how data connections are made, or set it; auto finds out what works."""
    if name is not None:
        _set_mode(shell, name)
    print(described(shell.mode))


@verb("passive", "[on|off|auto]", online=False)
def passive(shell: Shell, state: str | None = None) -> None:
    """Call the server for data (on), or let it call (off); without a word, the other one of the two.

    auto finds out what works.
    """
    now = shell.mode
    wanted = state or ("off" if now in {"auto", *_PASSIVE} else "on")
    actives = {active: passive for passive, active in _PASSIVE.items()}
    if wanted == "auto":
        _set_mode(shell, "auto")
    elif wanted == "off":
        _set_mode(shell, _PASSIVE.get(now, "eprt" if now == "auto" else now))
    else:
        _set_mode(shell, actives.get(now, "epsv" if now == "auto" else now))
    print(described(shell.mode))


@verb("epsv", "[on|off]", online=False)
def epsv(shell: Shell, state: str | None = None) -> None:
    """Use EPSV and EPRT (on), or PASV and PORT (off); without a word, the other ones of the two."""
    now = shell.mode
    wanted = state or ("off" if now in {"auto", *_CLASSIC} else "on")
    extended = {classic: mode for mode, classic in _CLASSIC.items()}
    if wanted == "off":
        _set_mode(shell, _CLASSIC.get(now, "pasv" if now == "auto" else now))
    else:
        _set_mode(shell, extended.get(now, "epsv" if now == "auto" else now))
    print(described(shell.mode))


def described(mode: str) -> str:
    """A mode, and what it means."""
    who = "what works is found out" if mode == "auto" else _CALLERS[mode in _PASSIVE]
    return f"{mode}: {who}"


def _set_type(shell: Shell, *, text: bool) -> None:
    shell.text = text
    shell.tell(type_of(shell))


def type_of(shell: Shell) -> str:
    """How files are transferred, in words."""
    return "ascii: line ends are converted" if shell.text else "binary: files stay as they are"


def _set_mode(shell: Shell, mode: str) -> None:
    shell.set_mode(cast("ModeSetting", mode))
