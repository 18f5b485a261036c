"""Settings from their four sources: command line over environment over file over default."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from fairlead.config.models import Config
from fairlead.config.places import Keys
from fairlead.config.reading import NotPlain, made
from fairlead.config.source import Source
from fairlead.config.types import fields_of, item_of, section_of, type_at
from fairlead.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

PREFIX = "FAIRLEAD_"
"""Before the name of a setting in the environment: ``FAIRLEAD_SERVER__PASSIVE_PORTS`` is ``server.passive_ports``."""

_PATHS = (
    ("storage", "root"),
    ("anonymous", "root"),
    ("users", "root"),
    ("hosts", "root"),
    ("tls", "certificate"),
    ("tls", "key"),
    ("tls", "client_ca"),
)
"""Settings that name a directory or a file, in a file relative to where that file is."""


def load(
    file: str | Path | None = None, *, environment: Mapping[str, str] | None = None, options: Source | None = None
) -> Config:
    """The settings of ``file``, of ``environment`` (by default the process's own) and the command line's ``options``.

    Raises ConfigError that names the place, what is wrong there and, where it can be guessed, what was meant.
    """
    sources = [
        from_file(file) if file is not None else Source(),
        from_environment(os.environ if environment is None else environment),
        options or Source(),
    ]
    merged: dict[str, Any] = {}
    for source in sources:
        merged = _merged(merged, _completed(source.values, Config))
    try:
        return cast("Config", made(merged, Config))
    except NotPlain:
        from fairlead.config.faults import explained  # noqa: PLC0415 - most settings are as they should be
        from fairlead.config.structs import fault_of  # noqa: PLC0415 - as faults

        error = fault_of(merged, Config)
        raise ConfigError(explained(error, sources)) from error


def from_file(file: str | Path) -> Source:
    """The settings in a TOML file. Raises ConfigError when it cannot be read or is no TOML."""
    import tomllib  # noqa: PLC0415 - most servers are started without a file
    from pathlib import Path  # noqa: PLC0415 - as tomllib

    path = Path(file)
    try:
        text = path.read_text("utf-8")
        values = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"cannot read the configuration file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: the file is not UTF-8 text (octet {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        place = re.fullmatch(r"(.*) \(at (line \d+), column \d+\)", str(error))
        where, message = (f"{path}, {place[2]}", place[1]) if place else (path, error)
        raise ConfigError(f"{where}: no valid TOML: {message}") from error
    for table, key in _PATHS:
        here = values.get(table)
        for each in here if isinstance(here, list) else [here]:
            if isinstance(each, dict) and key in each:
                each[key] = _placed(each[key], path.parent)
    return Source(values, file=str(path), text=text)


def _placed(value: Any, parent: Path) -> Any:
    """The path ``value``, or each in the list, as seen from ``parent``; what is no path is for others to refuse."""
    if isinstance(value, list):
        return [_placed(each, parent) for each in value]
    return str(parent / value) if isinstance(value, str) and value else value


def from_environment(environment: Mapping[str, str]) -> Source:
    """The settings among the variables of ``environment``. Raises ConfigError for a value that is not of its type."""
    source = Source()
    for name, text in sorted(environment.items()):
        path = tuple(name.removeprefix(PREFIX).lower().split("__"))
        if not name.startswith(PREFIX) or (len(path) == 1 and path[0] not in fields_of(Config)):
            continue
        source.put(path, typed(text, path, name), name)
    return source


def typed(text: str, path: Keys, name: str) -> Any:
    """``text`` as what a file would hold for the setting ``path``; ConfigError calls it ``name``."""
    kind = type_at(path)
    if item_of(kind) is not None:
        if not text.lstrip().startswith("["):
            return [part.strip() for part in text.split(",")] if text else []
        import tomllib  # noqa: PLC0415 - few lists are written so

        try:
            return tomllib.loads(f"list = {text}")["list"]
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{name}: no valid TOML: {error}") from error
    if kind not in {int, float, bool}:
        return text
    if kind is int and text.isascii() and text.isdecimal() and text == str(int(text)):
        return int(text)
    import msgspec  # noqa: PLC0415 - for what is written in other ways

    from fairlead.config.faults import NOUNS  # noqa: PLC0415 - as msgspec

    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{name}: {text!r} is not {NOUNS[kind.__name__]}") from error


def _completed(values: Any, kind: Any) -> Any:
    """``values`` with what may be written in short written in full: a list of one thing, a table of one key."""
    item = item_of(kind)
    if item is not None:
        listed = [values] if isinstance(values, str) else values
        return [_completed(value, item) for value in listed] if isinstance(listed, list) else listed
    section = section_of(kind)
    if section is None:
        return values
    if isinstance(values, str) and section.in_short:
        return {section.in_short: values}
    if not isinstance(values, dict):
        return values
    fields = fields_of(section)
    return {key: _completed(value, fields.get(key)) for key, value in values.items()}


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(under)
    for key, value in over.items():
        below = both.get(key)
        both[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return both
