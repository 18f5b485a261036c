"""The two faces of the one dialogue."""

from __future__ import annotations

import ast
import asyncio
import inspect
from pathlib import Path
from typing import Any

import pytest

import fairlead.client
from fairlead.client._wires.blocking import step
from fairlead.client.aio import AsyncClient
from fairlead.client.settings import Settings, TlsSetting
from fairlead.client.sync import Client
from fairlead.errors import ArgumentError
from tests.client.script import stage

FOLDER = Path(fairlead.client.__file__).parent


def methods(face: type) -> dict[str, Any]:
    return {name: value for name, value in vars(face).items() if inspect.isfunction(value) and not name.startswith("_")}


LATER = {"AsyncIterator[": "Iterator[", "Opening[": "IO[", "AsyncFtpPath": "FtpPath"}
"""What an asynchronous method gives that has done nothing yet, and what its blocking twin gives."""


def does_nothing_yet(method: Any) -> bool:
    """Whether it only begins with what it gives."""
    return any(kind in str(inspect.signature(method).return_annotation) for kind in LATER)


def signature(method: Any) -> str:
    """The signature, the asynchronous kinds written as the blocking ones."""
    text = str(inspect.signature(method))
    for asynchronous, blocking in LATER.items():
        text = text.replace(asynchronous, blocking)
    return text


def test_both_faces_have_the_same_methods_and_signatures() -> None:
    blocking, asynchronous = methods(Client), methods(AsyncClient)
    assert {name: signature(method) for name, method in blocking.items()} == {
        name: signature(method) for name, method in asynchronous.items()
    }
    assert all(inspect.iscoroutinefunction(method) != does_nothing_yet(method) for method in asynchronous.values())
    assert not any(inspect.iscoroutinefunction(method) for method in blocking.values())


def test_every_setting_can_be_given() -> None:
    parameters = inspect.signature(Client).parameters
    for name, value in vars(Settings()).items():
        if name not in {"listing_limit", "retries"}:  # how often to try again, mirrors know better than a default
            assert parameters[name].default == value, name


def test_dialogue_that_suspends_under_the_blocking_wire_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="suspended under the blocking wire"):
        step(asyncio.sleep(0))


def test_dialogue_knows_nothing_of_how_it_is_run() -> None:
    forbidden = {"asyncio", "socket", "ssl", "threading", "selectors", "select"}
    for source in FOLDER.glob("*.py"):
        if source.name in {"aio.py", "sync.py", "pool.py", "_lending.py"}:
            continue
        imported: set[str] = set()
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
                assert not node.module.startswith("fairlead.client._wires"), source.name
        assert imported & forbidden == set(), source.name


def test_failed_login_closes_the_session() -> None:
    on_stage = stage()
    with pytest.raises(AssertionError, match="nothing"), on_stage.ftp:
        pass
    assert not on_stage.ftp.connected


@pytest.mark.req("U-DF-9")
@pytest.mark.parametrize(
    ("url", "setting", "tls", "port"),
    [
        ("ftp://host", "auto", "auto", 21),
        ("ftp://host", "off", "off", 21),
        ("ftp://host", "implicit", "implicit", 990),
        ("ftp://host:2121", "implicit", "implicit", 2121),
        ("ftpes://host", "auto", "require", 21),
        ("ftpes://host:2121", "require", "require", 2121),
        ("ftps://host", "auto", "implicit", 990),
        ("ftps://host:2121", "require", "implicit", 2121),
    ],
)
def test_scheme_and_setting_tell_where_tls_begins(url: str, setting: TlsSetting, tls: str, port: int) -> None:
    target = Client(url, tls=setting)._session.target
    assert (target.tls, target.port) == (tls, port)


@pytest.mark.req("U-DF-9")
@pytest.mark.parametrize(("scheme", "setting"), [("ftps", "off"), ("ftpes", "off"), ("ftpes", "implicit")])
def test_url_that_needs_tls_is_refused_not_served_in_clear(scheme: str, setting: TlsSetting) -> None:
    with pytest.raises(ArgumentError, match="contradict"):
        Client(f"{scheme}://host", tls=setting)


@pytest.mark.parametrize("pin", ["", "abc", "x" * 64])
def test_pin_is_a_sha256(pin: str) -> None:
    with pytest.raises(ArgumentError, match="64 hexadecimal digits"):
        Client("host", pin=pin)
    Client("host", pin=":".join(["AB"] * 32))


def test_bare_host_will_do() -> None:
    assert Client("host:2121")._session.target.port == 2121
    with pytest.raises(ArgumentError):
        Client("http://host")


def test_password_is_in_no_representation() -> None:
    client = Client("ftp://me:topsecret@host")
    assert "topsecret" not in f"{client!r} {client._session!r}"
    assert "topsecret" not in repr(client._session.target)
