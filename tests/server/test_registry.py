"""The registry: a command is declared in one place, and everything else about it follows."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from fairlead.accounts.base import Right
from fairlead.proto.features import parse_features
from fairlead.proto.reply import Reply
from fairlead.server.registry import COMMANDS, NOT_IMPLEMENTED, OPTIONS, SITE, Argument, Urgency, command, option, site
from fairlead.server.session import Session
from tests.server.session import Running


@pytest.mark.req("S-959-HELP-1", "S-2389-FEAT-4", "S-959-AUTHZ-1")
def test_a_new_command_is_served_explained_and_announced(running: Running) -> None:
    with running.login() as control, running.connect() as early:
        assert control.ask("ECHO hello").code == 500

        @command("ECHO", syntax="text", argument=Argument.REQUIRED, feature="ECHO", aliases=("XECH",))
        def echo(_: Session, text: str) -> Reply:
            """Say it again.

            And again.
            """
            return Reply(200, text)

        try:
            assert control.ask("ECHO hello") == control.ask("xech hello") == Reply(200, "hello")
            assert control.ask("ECHO").code == 501
            assert early.ask("ECHO hello").code == 530
            assert control.ask("HELP ECHO").lines == ("Syntax: ECHO text", "Say it again.")
            assert " ECHO " in control.ask("HELP").text
            assert "ECHO" in parse_features(control.ask("FEAT"))
            assert "XECH" not in parse_features(control.ask("FEAT"))
            with pytest.raises(ValueError, match="ECHO is declared twice"):
                command("ECHO")(echo)
        finally:
            del COMMANDS["ECHO"], COMMANDS["XECH"]


@pytest.mark.req("S-2389-OPTS-1", "S-959-SITE-1")
def test_new_options_and_subcommands_are_served(running: Running) -> None:
    option("ECHO")(lambda _, argument: Reply(200, f"ECHO {argument}"))
    site("ECHO", syntax="text")(lambda _, argument: Reply(200, argument))
    try:
        with running.login() as control:
            assert control.ask("opts echo on").text == "ECHO on"
            assert control.ask("site echo hello").text == "hello"
            assert " ECHO text" in control.ask("HELP SITE").lines
    finally:
        del OPTIONS["ECHO"], SITE["ECHO"]


_EARLY = """
import asyncio, sys
from fairlead.events import CommandReceived
from fairlead.server import Server
from fairlead.storage.memory import MemoryStorage

async def main():
    async with Server(storage=MemoryStorage(), listen=[("127.0.0.1", 0)]) as server:
        server.events.subscribe(CommandReceived, lambda event: print(event.verb, event.argument))
        reader, writer = await asyncio.open_connection(*server.addresses[0])
        print((await reader.readline())[:3], "fairlead.server.commands.access" in sys.modules)
        writer.write(b"PASS secret\\r\\nNOOP\\r\\n")
        print((await reader.readline())[:3], (await reader.readline())[:3])
        writer.close()

asyncio.run(main())
"""


def test_a_command_that_comes_before_any_was_loaded_is_served_and_its_secret_masked() -> None:
    shown = subprocess.run([sys.executable, "-c", _EARLY], capture_output=True, text=True, check=True, timeout=60)

    assert shown.stdout.splitlines() == ["b'220' False", "PASS ****", "NOOP ", "b'503' b'200'"]


@pytest.mark.parametrize("verb", sorted(COMMANDS))
def test_every_declaration_is_whole(verb: str) -> None:
    spec = COMMANDS[verb]
    assert spec.verb == verb == verb.upper()
    assert (spec.argument is Argument.NONE) == (not spec.syntax), "the syntax shows an argument where there is one"
    assert (spec.handler.__doc__ or "").partition("\n")[0].endswith((".", ")")), "HELP shows the first line"
    assert spec.after == "" or spec.after in COMMANDS
    assert not (spec.path or spec.data or spec.storage or spec.right) or spec.login, (
        "files are touched after login only"
    )
    assert spec.right is Right.NONE or spec.path, "a right is one on a path"
    may_wait = inspect.iscoroutinefunction(spec.handler) or "Coroutine" in spec.handler.__annotations__["return"]
    assert not spec.data or may_wait, "a transfer waits"
    assert spec.urgency is Urgency.NONE or not spec.data
    assert verb not in NOT_IMPLEMENTED


def test_an_alias_is_its_command_in_all_but_the_announcement() -> None:
    for spec in COMMANDS.values():
        if spec.alias_of:
            original = COMMANDS[spec.alias_of]
            assert spec.handler is original.handler
            assert spec.argument is original.argument
            assert not spec.feature
