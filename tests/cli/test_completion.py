"""Command lines completed by real shells."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.peers.fairlead import PROGRAM
from tests.peers.keyboard import Keyboard, at_keyboard
from tests.peers.programs import program

pytestmark = pytest.mark.long  # a program for each press of Tab
START = {
    "bash": (["--norc", "--noprofile", "-i"], "PS1='>'", 'eval "$(fairlead completion bash)"'),
    "zsh": (
        ["-f", "-i"],
        "PS1='>'; zstyle ':completion:*' menu no; autoload -U compinit; compinit -u -D",
        'eval "$(fairlead completion zsh)"',
    ),
    "fish": (
        ["--no-config", "-i"],
        "function fish_prompt; echo '>'; end; set -g fish_autosuggestion_enabled 0",
        "fairlead completion fish | source",
    ),
}
LINES = {
    "fairlead doc": "fairlead doctor",
    "fairlead ls --mod": "fairlead ls --mode",
    "fairlead ls --mode pas": "fairlead ls --mode pasv",
    "fairlead bookmark rem": "fairlead bookmark remove",
    "fairlead ls @w": "fairlead ls @work",
    "fairlead bookmark show w": "fairlead bookmark show work",
    "fairlead mirror fold": "fairlead mirror folder/",
    "fairlead get --ca only": "fairlead get --ca only.pem",
}


@contextmanager
def shell(name: str, folder: Path) -> Iterator[Keyboard]:
    arguments, prompt, completion = START[name]
    path = program(name)
    bookmarks = folder / "config/fairlead/bookmarks.toml"
    bookmarks.parent.mkdir(parents=True)
    bookmarks.write_text("[work]\nurl = 'ftp://host/'\n")
    here = folder / "here"
    (here / "folder").mkdir(parents=True)
    (here / "only.pem").touch()
    env = {
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}",
        "LANG": "C.UTF-8",
    }
    with at_keyboard([path, *arguments], env=env, cwd=here) as keyboard:
        keyboard.type(f"{prompt}\r")
        keyboard.wait_for(r"\n>$")
        keyboard.run(f"{completion}; echo ready", ">")
        yield keyboard


@pytest.mark.parametrize("name", START)
def test_completion(name: str, tmp_path: Path) -> None:
    with shell(name, tmp_path) as keyboard:
        for typed, completed in LINES.items():
            keyboard.type(f"{typed}\t")
            keyboard.wait_for(rf">\s*{completed} ?$")
            keyboard.type("\x15")  # Ctrl-U: the line is emptied
            keyboard.wait_for(r">$")
