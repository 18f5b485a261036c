"""Servers with a name of one's own: ``@NAME`` stands for a URL and for the options that go with it.

They are kept in ``$XDG_CONFIG_HOME/fairlead/bookmarks.toml``, a table for each::

    [work]
    url = "ftp://alice@ftp.example.com/pub/"
    mode = "pasv"
    tls = "require"

The settings have the names of the options of the command line. A password is never among them.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fairlead.errors import ConfigError
from fairlead.proto.url import FtpUrl, parse_url

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.cli.options import SessionOptions

MARK = "@"
"""What a bookmark begins with where a URL is expected; a local file of that name is written ``./@NAME``."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_URL = "url"
_FAMILY = "family"


class BookmarkedUrl(FtpUrl):
    """A URL that a bookmark gave. ``options`` are what the bookmark sets, by the names that argparse gives them."""

    options: Mapping[str, Any] = MappingProxyType({})


class Unset:
    """The default of an option that a bookmark may set otherwise; it tells what nobody said from the same said."""

    __slots__ = ()


class UnsetWord(Unset, str):
    """A word."""

    __slots__ = ()


class UnsetNumber(Unset, int):
    """A number."""

    __slots__ = ()


def path() -> Path:
    """The file of bookmarks. Raises ConfigError where there is no home to keep it in."""
    from pathlib import Path

    from fairlead.cli.connection import user_path

    found = user_path(os.environ, "XDG_CONFIG_HOME", ".config", "bookmarks.toml")
    if found is None:
        raise ConfigError("there is no home directory for bookmarks; set HOME or XDG_CONFIG_HOME")
    return Path(found)


def read() -> dict[str, dict[str, Any]]:
    """Every bookmark by its name, as the file has it. Raises ConfigError where the file cannot be used."""
    import tomllib

    file = path()
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{file} cannot be used ({error}); correct it or move it away"
        raise ConfigError(message) from error
    for name, table in tables.items():
        if not isinstance(table, dict) or not isinstance(table.get(_URL), str):
            message = f'{file}: [{name}] has no url; write url = "ftp://…" below [{name}]'
            raise ConfigError(message)
    return tables


def write(tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Put ``tables`` in the place of all bookmarks; only their owner may read them. Raises OSError, ConfigError."""
    from fairlead.config.document import table_as_toml

    file = path().resolve()  # a link stays one
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = file.with_name(f"{file.name}.new")
    beside.unlink(missing_ok=True)
    beside.touch(mode=0o600)
    beside.write_text("\n".join(table_as_toml(f"[{name}]", table) for name, table in sorted(tables.items())), "utf-8")
    beside.replace(file)


def check_name(name: str) -> str:
    """``name``, where it can be that of a bookmark. Raises ConfigError."""
    if not _NAME.fullmatch(name):
        message = f"{name!r} is no name for a bookmark; use letters, digits, - and _"
        raise ConfigError(message)
    return name


def named(name: str) -> dict[str, Any]:
    """The bookmark ``name``. Raises ConfigError where there is none."""
    tables = read()
    if name not in tables:
        message = f"there is no bookmark {name!r}{_meant(name, tables, MARK)}; fairlead bookmark list shows them"
        raise ConfigError(message)
    return tables[name]


def is_bookmark(text: str) -> bool:
    """Whether ``text``, where a URL or a local name may stand, begins with a bookmark."""
    return text.startswith(MARK)


def expanded(text: str) -> tuple[str, dict[str, Any]]:
    """The URL that ``@NAME`` or ``@NAME/path`` stands for, and the options of the bookmark, as argparse has them.

    Any other text is a URL itself. Raises ConfigError.
    """
    if not is_bookmark(text):
        return text, {}
    name, slash, rest = text.removeprefix(MARK).partition("/")
    table = named(name)
    url = table[_URL]
    return f"{url.rstrip('/')}/{rest}" if slash else url, _options(name, table)


def with_options(url: FtpUrl, options: Mapping[str, Any]) -> FtpUrl:
    """``url``, which carries ``options`` with it where there are any."""
    if not options:
        return url
    return BookmarkedUrl(**vars(url), options=options)


def applied(args: argparse.Namespace, url: FtpUrl) -> argparse.Namespace:
    """``args``, and what the bookmark behind ``url`` sets; what was said on the command line goes first."""
    if not isinstance(url, BookmarkedUrl):
        return args
    defaults = _understanding("").defaults
    unsaid = {name: value for name, value in url.options.items() if _unsaid(getattr(args, name), defaults[name])}
    return argparse.Namespace(**{**vars(args), **unsaid})


def table_of(url: str, args: argparse.Namespace) -> dict[str, Any]:
    """The bookmark for ``url`` with the options that were given in ``args``. Raises ArgumentError, ConfigError."""
    from urllib.parse import urlsplit

    if parse_url(url).password is not None:
        raise ConfigError(
            "a bookmark keeps no password; leave it out of the URL, --save-password puts it into the keyring"
        )
    if urlsplit(args.proxy or "").password is not None:
        raise ConfigError("a bookmark keeps no password; leave it out of the proxy's URL, or set ftp_proxy instead")
    table: dict[str, Any] = {_URL: url}
    defaults = _understanding("").defaults
    for name, action in _actions().items():
        value = getattr(args, action.dest)
        if not _unsaid(value, defaults[action.dest]):
            table[name] = _written(value)
    return table


def _unsaid(value: object, default: object) -> bool:
    """Whether nobody said it. The other defaults (none, and flags that are not set) cannot be said."""
    return isinstance(value, Unset) or (value == default and not isinstance(default, Unset))


def _written(value: object) -> object:
    if isinstance(value, range):
        return f"{value.start}-{value.stop - 1}"
    return getattr(value, "octets", value)  # of a rate


def _options(name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """What the settings of a bookmark mean, checked as if they had been typed. Raises ConfigError."""
    actions = _actions()
    words: list[str] = []
    for key, value in table.items():
        if key == _URL:
            continue
        action = actions.get(key)
        if action is None:
            message = f"{path()}: [{name}] sets {key}, which is no option{_meant(key, actions)}"
            raise ConfigError(message)
        if key == _FAMILY:
            words.append(f"-{value}")
        elif action.nargs == 0:
            words += [action.option_strings[-1]] * bool(value)
        else:
            words.append(f"{action.option_strings[-1]}={value}")
    return vars(_understanding(f"{path()}: [{name}]").parse_args(words))


def _meant(name: str, known: Iterable[str], mark: str = "") -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, list(known), 1)
    return f", did you mean {mark}{close[0]}" if close else ""


def _actions() -> dict[str, argparse.Action]:
    """The options that a bookmark may set, by the names that they have in the file."""
    return {
        _FAMILY if action.dest == _FAMILY else action.option_strings[-1].lstrip("-"): action
        for action in _understanding("").options
        if action.dest != "debug"
    }


def _understanding(where: str) -> SessionOptions:
    from fairlead.cli.options import SessionOptions

    return SessionOptions(where)
