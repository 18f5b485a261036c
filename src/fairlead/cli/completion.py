"""``fairlead completion``: command lines completed by the shell, from the parsers themselves."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from typing import Any

from fairlead.cli.declaring import declare

_EXAMPLES = """\
examples:
  fairlead completion bash > ~/.local/share/bash-completion/completions/fairlead
  fairlead completion zsh > ~/.zfunc/_fairlead        with fpath+=~/.zfunc before compinit in ~/.zshrc
  fairlead completion fish > ~/.config/fish/completions/fairlead.fish
  eval "$(fairlead completion bash)"                  in this shell only
"""
SHELLS = ("bash", "zsh", "fish")
_BREAKS = "_ARGCOMPLETE_COMP_WORDBREAKS"
_PLACES = {"SOURCE", "TARGET"}
"""What arguments are called that are URLs or directories here."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = declare(subparsers, "completion", _EXAMPLES)
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    parser.set_defaults(run=run, debug=False)


def run(args: argparse.Namespace) -> int:
    """Print the shell's part, which asks the program for the rest."""
    from argcomplete.shell_integration import shellcode

    print(shellcode(["fairlead"], use_defaults=False, shell=args.shell))
    return 0


def answer() -> None:
    """Tell the shell that asks what may come next, and end the process."""
    import argcomplete
    from argcomplete.completers import SuppressCompleter
    from argcomplete.lexers import split_line

    from fairlead.cli import VERBS, parser_of

    # Bash breaks words at @ and yet takes it for a part of the word.
    os.environ[_BREAKS] = os.environ.get(_BREAKS, "").replace("@", "")
    line, point = os.environ["COMP_LINE"], int(os.environ["COMP_POINT"])
    _, _, _, words, _ = split_line(line, point)
    verb = next((word for word in words[1:] if not word.startswith("-")), "")
    parser = parser_of(verb if verb in VERBS else "")
    for action in _actions(parser):
        _say_what_fits(action)
    argcomplete.autocomplete(parser, always_complete_options=False, default_completer=SuppressCompleter())


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to tell
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for inner in set(action.choices.values()):
                yield from _actions(inner)


def _say_what_fits(action: Any) -> None:
    """Attach what argcomplete asks for the words that fit."""
    from argcomplete.completers import ChoicesCompleter, DirectoriesCompleter, FilesCompleter

    if hasattr(action, "completer"):
        return
    if action.metavar == "URL" or action.metavar in _PLACES:
        action.completer = _Urls(DirectoriesCompleter() if action.metavar in _PLACES else None)
    elif action.metavar in {"FILE", "=FILE"}:
        action.completer = FilesCompleter()
    elif action.metavar == "DIRECTORY":
        action.completer = DirectoriesCompleter()
    elif action.choices and not isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
        action.completer = ChoicesCompleter(action.choices)


class _Urls:
    """Completes bookmarks, the beginnings of URLs, and local names where those may stand as well."""

    def __init__(self, local: Any) -> None:
        self._local = local

    def __call__(self, prefix: str, **more: Any) -> Iterable[str]:
        found = [f"@{name}" for name in bookmarks()] + ["ftp://", "ftps://", "ftpes://"]
        return found + list(self._local(prefix, **more) if self._local is not None else [])


def bookmarks(**_: Any) -> list[str]:
    """The names of the bookmarks."""
    from fairlead.cli.bookmarks import read
    from fairlead.errors import ConfigError

    try:
        return sorted(read())
    except ConfigError:
        return []
