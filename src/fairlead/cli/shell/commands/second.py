"""Two servers at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.cli.shell.commands.directories import is_pattern
from fairlead.cli.shell.moving import watched
from fairlead.cli.shell.verbs import find, verb
from fairlead.client.trace import printable, show_duration
from fairlead.errors import ConfigError, NoSuchName
from fairlead.proto.entry import Kind

if TYPE_CHECKING:
    from fairlead.cli.shell.link import Link
    from fairlead.cli.shell.state import Shell
    from fairlead.cli.shell.words import Word

_TO_SECOND = {"get", "mget"}
_TO_FIRST = {"put", "mput"}
_SEVERAL = {"mget", "mput"}
_NOT_BETWEEN = {"append", "reget", "reput", "newer", "proxy", "quit"}


@verb("proxy", "VERB [WORD...]", online=False)
def proxy(shell: Shell, name: Word, *words: Word) -> int:
    """Do with a second session what VERB does with the first one.

    proxy open URL begins it. proxy get and proxy mget copy files from the first server to the second, proxy put and
    proxy mput from the second to the first: the servers exchange the data with each other, and only where they refuse
    it goes through here.
    """
    from fairlead.cli.shell.dispatch import call

    declared = find(name)
    if declared.name in _NOT_BETWEEN:
        message = f"proxy {declared.name} is not possible; proxy get and proxy put copy from server to server"
        raise ConfigError(message)
    if declared.name not in _TO_SECOND | _TO_FIRST:
        shell.swap()
        try:
            return call(shell, declared, list(words))
        finally:
            shell.swap()
    if not declared.fits(len(words)):
        raise ConfigError(f"that is no way to use it; write proxy {declared.usage}")
    first, second = shell.link, shell.second
    if second is None:
        raise ConfigError("there is no second session; proxy open URL begins one")
    source, target = (first, second) if declared.name in _TO_SECOND else (second, first)
    if declared.name in _SEVERAL:
        chosen = [name for word in words for name in _names(shell, source, word)]
        for each in shell.chosen(f"proxy {declared.name}", chosen):
            _copy(shell, source, each, target, each.rpartition("/")[2])
    else:
        _copy(shell, source, words[0], target, words[1] if len(words) > 1 else words[0].rpartition("/")[2])
    return 0


def _names(shell: Shell, source: Link, word: Word) -> list[str]:
    if not is_pattern(shell, word):
        return [word]
    found = source.client.glob(word.pattern)
    if not found:
        message = f"nothing on {source.url.host} matches {word}"
        raise NoSuchName(message)
    return [entry.name for entry in found if entry.kind in {Kind.FILE, Kind.LINK}]


def _copy(shell: Shell, source: Link, name: str, target: Link, copy: str) -> None:
    with watched(shell, name) as on_progress:
        result = source.client.copy(name, target.client, copy, on_progress=on_progress)
    target.forget()
    size = "" if result.size is None else f": {result.size} bytes"
    way = f"through here, since {result.detour}" if result.detour else f"from server to server ({result.mode})"
    shell.tell(f"{printable(name)} → {printable(result.path)}{size} in {show_duration(result.seconds)}, {way}")
