from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.config.places import Keys, line_of, parse, written

FILE = """\
# a comment with listen = 1
[server]
listen = [
  "127.0.0.1:2121",
]

  [ storage ]  # indented
root = "."
server.workers = 3

[[users]]
name = "alice"

[[users]]
name = "bob"
rules = [{ path = "/" }]
[[users.rules]]
path = "/in"

[log]
"format" = "text"
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("server",), 2),
        (("server", "listen"), 3),
        (("server", "listen", 0), 3),
        (("server", "banner"), 2),
        (("storage", "root"), 8),
        (("storage", "server", "workers"), 9),
        (("users", 0), 11),
        (("users", 0, "name"), 12),
        (("users", 1), 14),
        (("users", 1, "name"), 15),
        (("users", 1, "rules", 0, "path"), 16),
        (("log", "format"), 21),
        (("nothing",), None),
    ],
)
def test_the_line_of_a_setting(path: Keys, line: int | None) -> None:
    assert line_of(FILE, path) == line


@given(st.lists(st.one_of(st.from_regex("[a-z_]{1,8}", fullmatch=True), st.integers(0, 99)), min_size=1))
def test_what_a_checker_writes_is_read_back(keys: list[str | int]) -> None:
    path = tuple(keys)
    text = "$" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)

    assert parse(text) == path


def test_a_path_as_people_write_it() -> None:
    assert written(("users", 1, "rules", 0, "path")) == "users[1].rules[0].path"


def test_the_document_of_this_test_is_toml_but_for_the_array_written_twice() -> None:
    assert tomllib.loads(FILE.replace("rules = [{", "rule = [{"))["storage"]["server"] == {"workers": 3}
