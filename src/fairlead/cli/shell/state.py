"""What the interactive client knows: its sessions, its switches, and what was asked of it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from textwrap import fill
from typing import TYPE_CHECKING

from fairlead.cli.shell.link import Link
from fairlead.cli.shell.toggles import TOGGLES
from fairlead.client.trace import ReplyReceived, printable
from fairlead.errors import ConfigError

if TYPE_CHECKING:
    import argparse

    from fairlead.client.ladder import Recorder
    from fairlead.client.settings import ModeSetting
    from fairlead.client.sync import Client
    from fairlead.client.trace import Record, Trace
    from fairlead.proto.url import FtpUrl

_FEATURES = 211


class Shell:
    """The interactive client. ``args`` are the options of the command line, ``recorder`` keeps what a ladder shows.

    ``ask`` puts a question to the user and returns the answer; None where nobody is there to answer.
    """

    def __init__(self, args: argparse.Namespace, recorder: Recorder, ask: Callable[[str], str] | None = None) -> None:
        self.args = args
        self.recorder = recorder
        self.ask = ask
        self.on = {name: toggle.always or (toggle.interactive and self.interactive) for name, toggle in TOGGLES.items()}
        """The state of each switch."""
        self.on["debug"] = args.debug
        self.text = False
        """Whether files are transferred under TYPE A."""
        self.translation: dict[int, str | None] = {}
        """How characters of names are changed for copies, in either direction; None leaves one out."""
        self.link_or_none: Link | None = None
        self.second: Link | None = None
        """The session of ``proxy``."""
        self.last: FtpUrl | None = None
        """The server that was opened last, be it with success or not."""
        self.advice = ""
        """What the user may do next about what was interrupted."""
        self.over = False
        """Whether the user wants to leave."""

    @property
    def interactive(self) -> bool:
        """Whether somebody is there."""
        return self.ask is not None

    @property
    def link(self) -> Link:
        """The session. Raises ConfigError where there is none."""
        if self.link_or_none is None:
            raise ConfigError("there is no session; open URL begins one")
        return self.link_or_none

    @property
    def client(self) -> Client:
        """The client of the session, connected. Raises ConfigError where there is none."""
        return self.link.client

    @property
    def mode(self) -> ModeSetting:
        """How data connections are made."""
        mode: ModeSetting = self.args.mode
        return mode if self.link_or_none is None else self.link_or_none.mode

    def set_mode(self, mode: ModeSetting) -> None:
        """Make data connections in ``mode`` from now on, in this session and in those to come."""
        self.args.mode = mode
        if self.link_or_none is not None:
            self.link_or_none.set_mode(mode)

    def open(self, args: argparse.Namespace, url: FtpUrl) -> None:
        """Begin a session, in place of the one there is, with the options ``args``. Raises as the client does."""
        from fairlead.cli.connection import client_of, settings_of

        settings = settings_of(args, url)
        self.close()
        self.last = url
        if callable(settings["password"]):
            settings["password"] = cache(settings["password"])

        def make(trace: Trace) -> Client:
            return client_of(url, settings, trace)

        link = Link(url, make, tell=self.tell, show=self._show, keep=self.recorder.session())
        link.args = args
        link.login = settings["user"], settings["password"]
        link.open()
        self.link_or_none = link
        self.tell(link.describe())

    def close(self) -> None:
        """End the session, if there is one."""
        if self.link_or_none is not None:
            self.link_or_none.close()
            self.link_or_none = None

    def close_all(self) -> None:
        """End both sessions."""
        self.close()
        if self.second is not None:
            self.second.close()
            self.second = None

    def swap(self) -> None:
        """Let the second session take the place of the first, and the first that of the second."""
        self.link_or_none, self.second = self.second, self.link_or_none

    def tell(self, sentence: str) -> None:
        """Say ``sentence`` to whoever is there; a script stays silent, unless it is verbose."""
        if self.interactive or self.on["verbose"]:
            print(self._wrapped(printable(sentence)), flush=True)

    def complain(self, sentence: str) -> None:
        """Say on standard error what went wrong; to somebody who is there, in lines that end with a word."""
        from fairlead.cli.failures import say

        if self.interactive:
            print(self._wrapped(printable(sentence)), file=sys.stderr)
        else:
            say(sentence)

    def _wrapped(self, sentence: str) -> str:
        """``sentence`` as it is where it fits into a line of the terminal, or nobody is there, else in several."""
        width = shutil.get_terminal_size().columns
        if not self.interactive or len(sentence) <= width:
            return sentence
        return fill(sentence, width, break_long_words=False, break_on_hyphens=False)

    def chosen(self, verb: str, names: Iterable[str]) -> Iterator[str]:
        """Those of ``names`` for which the user wants ``verb``: asked one by one, where ``prompt`` is on."""
        asking = self.on["prompt"]
        for name in names:
            if asking and self.ask is not None:
                answer = self.ask(f"{verb} {printable(name)} [y]es, [n]o, [a]ll, [q]uit? ").strip().lower()[:1]
                if answer == "q":
                    return
                if answer == "n":
                    continue
                asking = answer != "a"
            yield name

    def _show(self, record: Record) -> None:
        if self.on["debug"]:
            print(record, file=sys.stderr, flush=True)
        elif self.on["verbose"] and isinstance(record, ReplyReceived) and record.reply.code != _FEATURES:
            print(record, flush=True)
