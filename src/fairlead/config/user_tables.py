"""The tables of users in the text of a configuration file: changed and removed, with all else left as it is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any

from fairlead.config.document import user_as_toml
from fairlead.errors import ConfigError

_HEADER = re.compile(r"\s*\[")
_USERS = re.compile(r"\s*\[\[\s*users\s*\]\]\s*(#.*)?")
_PART = re.compile(r"\s*\[\[?\s*users\s*\.")
_PASSWORD = re.compile(r"^(?P<before>\s*password\s*=\s*)(?:\"[^\"]*\"|'[^']*')(?P<after>\s*(?:#.*)?)")
_COMMENT = re.compile(r"\s*(#.*)?")


def with_user(text: str, name: str, password_hash: str, *, write: bool) -> str:
    """``text`` with the table of a further user. Raises ConfigError where there can be none."""
    begun = f"{text.rstrip()}\n\n".lstrip()
    try:
        tomllib.loads(f"{begun}[[users]]")
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("it sets users = […]; write each of them as a [[users]] table first") from error
    return begun + user_as_toml(name, password_hash, write=write)


def with_password(text: str, name: str, password_hash: str) -> str:
    """``text`` in which the user ``name`` has another password. Raises ConfigError."""

    def change(lines: list[str]) -> list[str]:
        return [
            _PASSWORD.sub(lambda found: f'{found["before"]}"{password_hash}"{found["after"]}', line) for line in lines
        ]

    def expect(users: list[dict[str, Any]], index: int) -> None:
        users[index]["password"] = password_hash

    return _edited(text, name, change, expect)


def without_user(text: str, name: str) -> str:
    """``text`` without the table of the user ``name``. Raises ConfigError."""

    def expect(users: list[dict[str, Any]], index: int) -> None:
        del users[index]

    return _edited(text, name, lambda _: [], expect)


def _edited(
    text: str,
    name: str,
    change: Callable[[list[str]], list[str]],
    expect: Callable[[list[dict[str, Any]], int], None],
) -> str:
    """``text`` with ``change`` applied to the lines of the user; it must mean what ``expect`` makes of the values."""
    values = tomllib.loads(text)
    users = values.get("users", [])
    found = [index for index, user in enumerate(users) if user["name"] == name]
    if not found:
        raise ConfigError(f"there is no user {name!r}; `fairlead user list` shows who there is")
    if len(found) > 1:
        raise ConfigError(f"there are {len(found)} users {name!r}, for different hosts; edit the file by hand")
    lines = text.splitlines(keepends=True)
    begin, end = _span(lines, found[0])
    made = "".join([*lines[:begin], *change(lines[begin:end]), *lines[end:]])
    expect(users, found[0])
    if not users:
        del values["users"]
    try:
        right = tomllib.loads(made) == values
    except tomllib.TOMLDecodeError:
        right = False
    if not right:
        raise ConfigError(
            f"the user {name!r} is written in a way that cannot be changed from here; edit the file by hand, or write"
            " a plain [[users]] table first"
        )
    return made


def _span(lines: list[str], index: int) -> tuple[int, int]:
    """Where the lines of the table number ``index`` are; comments right before the next table belong to that."""
    starts = [number for number, line in enumerate(lines) if _USERS.fullmatch(line.rstrip("\r\n"))]
    if index >= len(starts):
        return 0, 0
    begin = starts[index]
    end = next(
        (
            number
            for number in range(begin + 1, len(lines))
            if _HEADER.match(lines[number]) and not _PART.match(lines[number])
        ),
        len(lines),
    )
    if end < len(lines):
        while _COMMENT.fullmatch(lines[end - 1].rstrip("\r\n")) and lines[end - 1].strip():
            end -= 1
    return begin, end
