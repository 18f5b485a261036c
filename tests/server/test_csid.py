"""CSID: client and server tell each other who they are."""

from __future__ import annotations

import pytest

from fairlead import __version__
from tests.server.session import Control, Running


@pytest.mark.req("S-STRM-4", "S-959-AUTHZ-2")
@pytest.mark.parametrize(
    "argument", ["Name=Test; Version=1.0;", "name=x;", "Name=My client; Version=1; OS=Linux;", "Name=x", "Name=;"]
)
def test_the_server_says_who_it_is(running: Running, argument: str) -> None:
    answer = f"Name=Fairlead; Version={__version__}; OS=Linux; CaseSensitive=1; DirSep=/;"
    with running.connect() as control:
        reply = control.ask(f"CSID {argument}")
        assert (reply.code, reply.text) == (200, answer)
    with running.login() as control:
        assert control.ask(f"CSID {argument}").text == answer


@pytest.mark.req("S-STRM-4", "S-959-GRAM-10")
@pytest.mark.parametrize(
    "argument", ["", "x", "Version=1;", "Name", "Name=x; y", "Name=x;;", "Name=" + "x" * 5000 + ";y"]
)
def test_who_does_not_name_the_client_is_refused(control: Control, argument: str) -> None:
    assert control.ask(f"CSID {argument}").code == 501


@pytest.mark.req("S-STRM-4")
def test_the_feature_is_listed(control: Control) -> None:
    assert " CSID Name; Version;" in control.ask("FEAT").lines
