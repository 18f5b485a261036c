"""What can be typed: each verb is declared once, and dispatch, help, completion, history and the manual follow."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum, auto
from importlib import import_module
from typing import TypeAlias, TypeVar

from fairlead.errors import ConfigError

Handler: TypeAlias = "Callable[..., int | None]"
H = TypeVar("H", bound=Callable[..., "int | None"])
_TOKEN = re.compile(r"\[[^\]]*\]|\S+")


class Kind(Enum):
    """What stands in the place of a parameter."""

    REMOTE = auto()
    """A name on the server."""
    DIRECTORY = auto()
    """A directory on the server."""
    LOCAL = auto()
    """A name here."""
    FOLDER = auto()
    """A directory here."""
    URL = auto()
    """A server, or a bookmark."""
    VERB = auto()
    """Another verb."""
    SECRET = auto()
    """What nobody is to see."""
    COMMAND = auto()
    """A command of the protocol."""
    CHOICE = auto()
    """One of a few words."""
    FLAG = auto()
    """An option."""
    WORD = auto()
    """Anything."""


_PACKAGE = "fairlead.cli.shell.commands"
GROUPS = ("access directories fetching storing trees files second representation settings dialogue local tools").split()
"""The modules of verbs, in the order in which people are shown them."""
_KINDS = {
    "REMOTE": Kind.REMOTE,
    "FROM": Kind.REMOTE,
    "TO": Kind.REMOTE,
    "DIRECTORY": Kind.DIRECTORY,
    "LOCAL": Kind.LOCAL,
    "FOLDER": Kind.FOLDER,
    "URL": Kind.URL,
    "VERB": Kind.VERB,
    "PASSWORD": Kind.SECRET,
    "COMMAND": Kind.COMMAND,
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One place in the syntax of a verb."""

    name: str
    kind: Kind
    required: bool
    repeated: bool
    choices: tuple[str, ...] = ()


def parameters(syntax: str) -> tuple[Parameter, ...]:
    """The parameters of ``REMOTE [LOCAL]``, ``LOCAL...``, ``[on|off]``, ``[-l] [REMOTE...]``."""
    return tuple(_parameter(token) for token in _TOKEN.findall(syntax))


def _parameter(token: str) -> Parameter:
    optional = token.startswith("[")
    repeated = token.rstrip("]").endswith("...")
    name = token.strip("[]").removesuffix("...")
    if name.startswith("-"):
        return Parameter(name, Kind.FLAG, required=False, repeated=False)
    if name.islower():
        return Parameter(name, Kind.CHOICE, not optional, repeated, tuple(name.split("|")))
    return Parameter(name, _KINDS.get(name, Kind.WORD), not optional, repeated)


@dataclass(frozen=True)
class Verb:
    """A verb: ``run`` is called with the shell and the words behind the verb; what it returns is an exit status."""

    name: str
    run: Handler
    syntax: str
    aliases: tuple[str, ...]
    online: bool
    """Whether it takes a session."""
    changes: bool
    """Whether it changes what the server has, so that listings are to be asked for anew."""
    parameters: tuple[Parameter, ...]

    @property
    def usage(self) -> str:
        """The verb and what goes behind it."""
        return f"{self.name} {self.syntax}".rstrip()

    @property
    def summary(self) -> str:
        """What it does, in one sentence."""
        return (self.run.__doc__ or "").strip().partition("\n")[0].rstrip(".")

    @property
    def description(self) -> str:
        """All that is said about it."""
        return "\n".join(line.strip() for line in (self.run.__doc__ or "").strip().splitlines())

    @property
    def module(self) -> str:
        """Which module of verbs declares it."""
        return self.run.__module__.rpartition(".")[2]

    @property
    def group(self) -> str:
        """What the verbs of its module have in common."""
        return (sys.modules[self.run.__module__].__doc__ or "").partition("\n")[0].rstrip(".")

    @property
    def flags(self) -> frozenset[str]:
        """The options it knows."""
        return frozenset(parameter.name for parameter in self.parameters if parameter.kind is Kind.FLAG)

    @property
    def takes_verb(self) -> bool:
        """Whether another verb, with words of its own, stands behind it."""
        first = self.kind_at(0)
        return first is not None and first.kind is Kind.VERB

    def positional(self) -> list[Parameter]:
        """The parameters that are no options."""
        return [parameter for parameter in self.parameters if parameter.kind is not Kind.FLAG]

    def kind_at(self, index: int) -> Parameter | None:
        """The parameter that the word ``index`` behind the verb, options not counted, stands for."""
        places = self.positional()
        if index < len(places):
            return places[index]
        return next((place for place in places if place.repeated), None)

    def fits(self, count: int) -> bool:
        """Whether it can be called with ``count`` words."""
        places = self.positional()
        least = sum(place.required for place in places)
        return least <= count and (count <= len(places) or any(place.repeated for place in places))


VERBS: dict[str, Verb] = {}
"""Every verb by its name, in the order in which they are declared."""
_NAMES: dict[str, Verb] = {}


def verb(
    name: str, syntax: str = "", *, aliases: Sequence[str] = (), online: bool = True, changes: bool = False
) -> Callable[[H], H]:
    """Declare the function below as the verb ``name``; its docstring is what help says."""

    def declare(run: H) -> H:
        add(Verb(name, run, syntax, tuple(aliases), online, changes, parameters(syntax)))
        return run

    return declare


def add(declared: Verb) -> None:
    """Declare a verb."""
    VERBS[declared.name] = declared
    for each in (declared.name, *declared.aliases):
        assert each not in _NAMES, f"two verbs are called {each}"
        _NAMES[each] = declared


def load() -> None:
    """Import every module that declares verbs."""
    for module in GROUPS:
        import_module(f"{_PACKAGE}.{module}")


def names() -> list[str]:
    """Every name that a verb has."""
    return sorted(_NAMES)


def groups() -> Iterator[tuple[str, list[Verb]]]:
    """The verbs of each group, and what they have in common."""
    for module in GROUPS:
        declared = [each for each in VERBS.values() if each.module == module]
        yield declared[0].group, declared


def find(word: str) -> Verb:
    """The verb that is called ``word``, or the only one that begins so. Raises ConfigError."""
    if word in _NAMES:
        return _NAMES[word]
    begun = {declared.name for name, declared in _NAMES.items() if name.startswith(word)}
    if len(begun) == 1:
        return VERBS[begun.pop()]
    if begun:
        message = f"{word!r} may be {', '.join(sorted(begun))}; write more of it"
        raise ConfigError(message)
    close = get_close_matches(word, _NAMES, 1)
    hint = f", did you mean {close[0]}" if close else ""
    message = f"there is no command {word!r}{hint}; help lists them all"
    raise ConfigError(message)
