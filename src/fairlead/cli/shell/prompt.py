"""Lines typed at a terminal: the prompt, the history, and completion."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.shortcuts import CompleteStyle

from fairlead.cli.connection import state_path
from fairlead.cli.shell.completion import choices
from fairlead.cli.shell.history import redacted
from fairlead.client.trace import printable

if TYPE_CHECKING:
    from fairlead.cli.shell.state import Shell


class Prompt:
    """Reads lines for ``shell``."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._session: PromptSession[str] = PromptSession(
            history=_history(),
            completer=_Names(shell),
            complete_while_typing=False,
            complete_style=CompleteStyle.READLINE_LIKE,
            enable_history_search=True,
        )

    def read(self) -> str:
        """The next line. Raises EOFError at the end, KeyboardInterrupt on Ctrl-C."""
        return self._session.prompt(self._text())

    def _text(self) -> str:
        link = self._shell.link_or_none
        if link is None:
            return "fairlead> "
        user = f"{link.url.user}@" if link.url.user else ""
        lost = "" if link.connected else " (lost)"
        return printable(f"{user}{link.url.host}:{link.directory}{lost}> ")


class _Names(Completer):
    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """See :class:`Completer`."""
        line = document.text_before_cursor
        with _interruptible():
            found = choices(self._shell, line)
        for choice in found:
            text = choice.text + (" " if choice.ends and not document.text_after_cursor else "")
            yield Completion(text, start_position=choice.start - len(line), display=printable(choice.shown))


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C be a signal, as it is not while lines are edited: a server may take its time to list names."""
    if sys.platform == "win32":
        yield
        return
    import termios

    keyboard = sys.stdin.fileno()
    edited = termios.tcgetattr(keyboard)
    with_signals = list(edited)
    with_signals[3] |= termios.ISIG
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    termios.tcsetattr(keyboard, termios.TCSANOW, with_signals)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSANOW, edited)
        signal.signal(signal.SIGINT, before)


def _history() -> History:
    """The file of earlier lines, which only its owner may read; in memory where it cannot be had."""
    place = state_path(os.environ, "history")
    if place is None:
        return _OfThisSession()
    path = Path(place)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    except OSError:
        return _OfThisSession()
    return _InFile(str(path))


class _WithoutSecrets(History):
    def append_string(self, string: str) -> None:
        """See :class:`History`."""
        if kept := redacted(string):
            super().append_string(kept)


class _OfThisSession(_WithoutSecrets, InMemoryHistory):
    pass


class _InFile(_WithoutSecrets, FileHistory):
    pass
