"""LPRT and LPSV (RFC 1639)."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from pathlib import Path

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.storage.memory import MemoryStorage
from tests.server.session import DEADLINE, Control, Running, receive, serving


def argument(host: str, port: int) -> str:
    octets = ip_address(host).packed
    numbers = (4 if len(octets) == 4 else 6, len(octets), *octets, 2, port >> 8, port & 255)
    return ",".join(map(str, numbers))


@pytest.mark.req("S-1639-LP-1")
@pytest.mark.parametrize(("family", "host"), [(4, "127.0.0.1"), (6, "::1"), (4, "::1"), (6, "127.0.0.1")])
def test_lprt_is_called(running: Running, root: Path, family: int, host: str) -> None:
    (root / "file").write_bytes(b"content")
    with (
        running.login(family=family) as control,
        socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as listener,
    ):
        listener.settimeout(DEADLINE)
        assert control.ask(f"LPRT {argument(host, listener.getsockname()[1])}").code == 200
        for _ in range(2):
            assert control.ask("RETR file").code == 150
            data, _address = listener.accept()
            with data:
                assert receive(data) == b"content"
            assert control.read().code == 226


@pytest.mark.req("S-1639-LP-1")
@pytest.mark.parametrize("family", [4, 6])
def test_lpsv_is_called(running: Running, root: Path, family: int) -> None:
    (root / "file").write_bytes(b"content")
    with running.login(family=family) as control:
        reply = control.ask("LPSV")
        assert reply.code == 228
        numbers = [int(number) for number in reply.text.partition("(")[2].partition(")")[0].split(",")]
        length = {4: 4, 6: 16}[family]
        assert numbers[:2] == [family, length]
        host = str(ip_address(bytes(numbers[2 : 2 + length])))
        assert host == {4: "127.0.0.1", 6: "::1"}[family]
        assert numbers[2 + length] == 2
        port = numbers[-2] << 8 | numbers[-1]
        with socket.create_connection((host, port), DEADLINE) as data:
            assert control.ask("RETR file").code == 150
            assert receive(data) == b"content"
        assert control.read().code == 226
        assert control.ask("LPSV x").code == 501


@pytest.mark.req("S-1639-LP-1")
def test_another_family_is_refused_with_those_that_serve(control: Control) -> None:
    reply = control.ask("LPRT 16,4,127,0,0,1,2,195,80")
    assert (reply.code, reply.text) == (521, "Supported address families are (4, 6)")


@pytest.mark.req("S-1639-LP-1", "S-2577-PORT-2", "S-2577-PORT-3")
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("", 501),
        ("4,4,127,0,0,1,2,195", 501),
        ("127,0,0,1,195,80", 521),
        ("4,4,127,0,0,1,2,0,25", 504),
        ("4,4,192,0,2,1,2,195,80", 504),
        ("6,16,32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,7,2,195,80", 504),
    ],
)
def test_what_is_not_called(control: Control, line: str, code: int) -> None:
    assert control.ask(f"LPRT {line}").code == code


@pytest.mark.req("S-1639-LP-1", "S-2428-EPSV-5")
def test_after_epsv_all_they_are_refused(control: Control) -> None:
    assert control.codes("EPSV ALL", "LPSV", "LPRT 4,4,127,0,0,1,2,195,80") == [200, 501, 501]


@pytest.mark.req("S-1639-LP-1")
def test_an_offset_lives_past_them(control: Control, root: Path) -> None:
    (root / "file").write_bytes(b"content")
    assert control.codes("REST 3", "LPSV") == [350, 228]
    assert control.codes("LPRT 4,4,127,0,0,1,2,195,80") == [200]
    assert control.fetch("RETR file") == b"tent"


@pytest.mark.req("S-1639-LP-1")
def test_active_mode_may_be_off() -> None:
    storage = MemoryStorage()
    with (
        serving(storage, accounts=MemoryAccounts.sharing(storage, {"me": "secret"}), active=False) as running,
        running.login() as control,
    ):
        assert control.codes("LPRT 4,4,127,0,0,1,2,195,80", "LPSV") == [504, 228]
