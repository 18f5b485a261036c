"""What may come next in a line; the keys and the screen are in test_terminal.py."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, cast

import pytest

from fairlead.cli.shell import verbs
from fairlead.cli.shell.completion import choices
from fairlead.cli.shell.link import Link
from fairlead.cli.shell.state import Shell
from fairlead.client.ladder import Recorder
from fairlead.errors import ConnectError
from fairlead.proto.entry import Entry, Kind

verbs.load()
LISTED = {
    "": [
        Entry("pub", Kind.DIRECTORY),
        Entry("plain", Kind.FILE),
        Entry("two words", Kind.FILE),
        Entry(".dot", Kind.FILE),
    ],
    "pub": [Entry("a*b", Kind.FILE), Entry("deep", Kind.DIRECTORY), Entry("link", Kind.LINK)],
    "/": [Entry("root", Kind.DIRECTORY)],
}


class Listing:
    """As much of a link as completion needs."""

    connected = True
    silent = False

    def entries(self, directory: str) -> list[Entry]:
        assert self.silent
        if directory not in LISTED:
            raise ConnectError("gone")
        return LISTED[directory]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    here = tmp_path / "here"
    (here / "docs").mkdir(parents=True)
    (here / "it's").touch()
    monkeypatch.chdir(here)
    shell = Shell(argparse.Namespace(debug=False, mode="auto"), Recorder())
    shell.link_or_none = cast("Link", cast("Any", Listing()))
    return shell


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("rem", ["remotehelp", "remotestatus"]),
        ("get p", ["plain", "pub/"]),
        ("get t", [r"two\ words"]),
        ("get 't", ["'two words'"]),
        ('get "t', ['"two words"']),
        ("get .", [".dot"]),
        ("get pub/", [r"pub/a\*b", "pub/deep/", "pub/link"]),
        ("get 'pub/d", ["'pub/deep/"]),
        ("get /", ["/root/"]),
        ("get none/", []),
        ("get plain ", ["docs/", r"it\'s"]),
        ("get plain extra ", []),
        ("cd p", ["pub/"]),
        ("cd pub/", ["pub/deep/", "pub/link"]),
        ("mget plain t", [r"two\ words"]),
        ("put d", ["docs/"]),
        ("lcd ", ["docs/"]),
        ("lcd none/", []),
        ("type a", ["ascii"]),
        ("debug o", ["on", "off"]),
        ("ls -", ["-l"]),
        ("ls -l pl", ["plain"]),
        ("mirror --d", ["--delete"]),
        ("help mge", ["mget"]),
        ("proxy mge", ["mget"]),
        ("proxy get pl", ["plain"]),
        ("quote no", ["NOOP"]),
        ("nonsense p", []),
        ("quit ", []),
        ("!l", []),
    ],
)
def test_choices(shell: Shell, line: str, completed: list[str]) -> None:
    assert [choice.text for choice in choices(shell, line)] == completed


def test_choice_takes_the_place_of_the_word(shell: Shell) -> None:
    (choice,) = choices(shell, "get  'two w")
    assert (choice.start, choice.shown, choice.ends) == (5, "two words", True)
    (choice,) = choices(shell, "get pub/de")
    assert (choice.start, choice.shown, choice.ends) == (4, "deep/", False)


def test_bookmarks_are_completed(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "fairlead/bookmarks.toml"
    file.parent.mkdir()
    file.write_text("[work]\nurl = 'ftp://host/'\n")
    assert [choice.text for choice in choices(shell, "open @w")] == ["@work"]
    file.write_text("[work\n")
    assert choices(shell, "open @w") == []


def test_nothing_is_asked_of_a_server_that_is_gone(shell: Shell) -> None:
    shell.link_or_none = None
    assert choices(shell, "get p") == []
