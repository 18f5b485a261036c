"""One line: its verb is found and run; what that raises becomes a sentence and an exit status."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fairlead.cli.failures import DONE, INTERRUPTED, exit_code, sentence
from fairlead.cli.shell.commands.local import run_locally
from fairlead.cli.shell.verbs import Verb, find
from fairlead.cli.shell.words import Word, split
from fairlead.errors import ConfigError, FairleadError

if TYPE_CHECKING:
    from fairlead.cli.shell.state import Shell


def run_script(shell: Shell, lines: Iterable[str], *, keep_going: bool) -> int:
    """Run ``lines`` until one fails, or all of them to ``keep_going``; returns the first status that is not 0."""
    first = DONE
    for line in lines:
        status = run_line(shell, line)
        first = first or status
        if shell.over or status == INTERRUPTED or (status and not keep_going):
            break
    return first


def run_line(shell: Shell, line: str) -> int:
    """Run ``line``; returns its exit status. A line that begins with ``-`` never fails, one with ``#`` does nothing."""
    line = line.strip()
    if line.startswith("-"):
        return INTERRUPTED if run_line(shell, line[1:]) == INTERRUPTED else DONE
    if not line or line.startswith("#"):
        return DONE
    with said(shell) as outcome:
        if line.startswith("!"):
            return run_locally(line[1:])
        verb, *words = split(line)
        outcome.status = call(shell, find(verb), words)
    return outcome.status


@dataclass(slots=True)
class Outcome:
    """How a line ended."""

    status: int = DONE


@contextmanager
def said(shell: Shell) -> Iterator[Outcome]:
    """What is raised within becomes a sentence and a status; after Ctrl-C, the session goes on."""
    outcome = Outcome()
    link = shell.link_or_none
    stood = link is not None and link.connected
    try:
        yield outcome
    except (FairleadError, OSError) as error:
        if isinstance(error, FairleadError):
            shell.recorder.failed(error)
        lost = stood and link is not None and not link.connected and shell.interactive
        shell.complain(_after_the_end(error) if lost else sentence(error).removesuffix("; connect again"))
        outcome.status = exit_code(error)
    except KeyboardInterrupt:
        outcome.status = _interrupted(shell)


def _after_the_end(error: Exception) -> str:
    """What is said of an error that ended the session."""
    advice = "the next command connects again"
    text = sentence(error, advice=advice).removesuffix("; connect again")
    return text if text.endswith(advice) else f"{text}; {advice}"


def call(shell: Shell, verb: Verb, words: list[Word]) -> int:
    """Run ``verb`` with ``words``; returns its exit status.

    Raises ConfigError where they do not fit, and whatever the verb raises.
    """
    flags = verb.flags
    given = frozenset(word for word in words if word in flags)
    positional = [word for word in words if word not in given]
    if not verb.fits(len(positional)):
        raise ConfigError(f"that is no way to use {verb.name}; write {verb.usage}")
    for index, word in enumerate(positional):
        place = verb.kind_at(index)
        if place is not None and place.choices and word not in place.choices:
            message = f"{verb.name} does not know {word!r}; write {verb.usage}"
            raise ConfigError(message)
    settings: dict[str, Any] = {"flags": given} if flags else {}
    if not verb.online:
        return verb.run(shell, *positional, **settings) or DONE
    link = shell.link
    try:
        return verb.run(shell, *positional, **settings) or DONE
    finally:
        if verb.changes:
            link.forget()


def _interrupted(shell: Shell) -> int:
    """After Ctrl-C: the transfer is aborted at the server, too, so that the session goes on."""
    shell.complain(f"interrupted{shell.advice}")
    shell.advice = ""
    for link in (shell.link_or_none, shell.second):
        if link is None:
            continue
        try:
            link.settle()
        except KeyboardInterrupt:
            link.close()
            shell.complain("the session is given up, the server had not answered; the next command connects again")
        except FairleadError as error:
            shell.complain(sentence(error))
    return INTERRUPTED


def lines_of(path: str) -> list[str]:
    """The lines of a script. Raises OSError, ConfigError where it is no text."""
    try:
        with open(path, encoding="utf-8", errors="strict") as file:
            return file.read().splitlines()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{os.fspath(path)} is no text in UTF-8; a script is one command a line") from error
