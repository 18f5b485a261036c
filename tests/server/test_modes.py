"""A session through each of PORT, PASV, EPRT and EPSV, in both families."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.session import Running, receive

WAYS = [("EPSV", 4), ("EPSV", 6), ("PASV", 4), ("EPRT", 4), ("EPRT", 6), ("PORT", 4)]


@pytest.mark.req("S-959-DC-7", "S-959-STOR-1", "S-959-IMG-1")
@pytest.mark.parametrize(("mode", "family"), WAYS)
@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 3 << 20])
def test_a_file_goes_up_and_comes_down_unchanged(
    running: Running, root: Path, mode: str, family: int, size: int
) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    with running.login(family=family) as control:
        assert control.store("STOR file", content, mode).code == 226
        assert (root / "file").read_bytes() == content
        assert control.ask("SIZE file").text == str(size)
        assert control.fetch("RETR file", mode) == content


@pytest.mark.req("S-959-DP-2")
@pytest.mark.parametrize("family", [4, 6])
def test_active_mode_calls_from_the_control_port_minus_one(running: Running, family: int) -> None:
    control_port = running.address(family)[1]
    with running.login(family=family) as control, control.active("EPRT") as listener:
        assert control.ask("LIST").code == 150
        connection, caller = listener.accept()
        with connection:
            receive(connection)
        assert caller[1] == control_port - 1
        assert control.read().code == 226
