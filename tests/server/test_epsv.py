"""EPRT and EPSV (RFC 2428)."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.proto.address import parse_families
from fairlead.storage.local import LocalStorage
from tests.server.session import Control, Running, receive, serving

LOOPBACK = {4: "127.0.0.1", 6: "::1"}


@pytest.fixture(autouse=True)
def content(root: Path) -> bytes:
    (root / "file").write_bytes(b"content")
    return b"content"


def own_address() -> str | None:
    """An IPv4 address of this machine that is no loopback address; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        host: str = probe.getsockname()[0]
        return None if host.startswith("127.") else host


@pytest.fixture
def outside(root: Path) -> Iterator[Running]:
    """A server on an address that is no loopback address: of its clients only the address they call from is known."""
    host = own_address()
    if host is None:
        pytest.skip("this machine has no address but loopback ones")
    with (
        closing(LocalStorage(root, durability="relaxed")) as storage,
        serving(
            storage, accounts=MemoryAccounts.sharing(storage, {"me": "secret"}, write=True), listen=((host, 0),)
        ) as running,
    ):
        yield running


@pytest.mark.req("S-2428-EPRT-1")
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("delimiter", [chr(code) for code in range(33, 127) if chr(code) not in "0123456789.:"])
def test_eprt_takes_any_delimiter(running: Running, content: bytes, family: int, delimiter: str) -> None:
    with running.login(family=family) as control, control.listener() as listener:
        fields = ["", "1" if family == 4 else "2", LOOPBACK[family], str(listener.getsockname()[1]), ""]
        assert control.ask(f"EPRT {delimiter.join(fields)}").code == 200
        assert control.ask("RETR file").code == 150
        connection, _ = listener.accept()
        with connection:
            assert receive(connection) == content
        assert control.read().code == 226


@pytest.mark.req("S-2428-EPRT-1")
@pytest.mark.parametrize(
    "address", ["::1", "0:0:0:0:0:0:0:1", "0000::0001", "::0:1", "::0.0.0.1", "0:0::0.0.0.1", "::0000:0001"]
)
def test_eprt_takes_an_address_in_every_form_of_its_text(running: Running, content: bytes, address: str) -> None:
    with running.login(family=6) as control, control.listener() as listener:
        assert control.ask(f"EPRT |2|{address}|{listener.getsockname()[1]}|").code == 200
        assert control.ask("RETR file").code == 150
        connection, _ = listener.accept()
        with connection:
            assert receive(connection) == content
        assert control.read().code == 226


@pytest.mark.req("S-2428-EPRT-3")
@pytest.mark.parametrize(
    "argument",
    [
        "",
        "|",
        "||",
        "|||",
        "||||",
        "|||||",
        "|1|127.0.0.1|5000",
        "1|127.0.0.1|5000|",
        "|1|127.0.0.1|",
        "|1|127.0.0.1||",
        "|1||5000|",
        "||127.0.0.1|5000|",
        "|1|127.0.0.1|5000|x",
        "|1|127.0.0.1|5000||",
        "|1|127.0.0.1|0|",
        "|1|127.0.0.1|65536|",
        "|1|127.0.0.1|-1|",
        "|1|127.0.0.1|5000.0|",
        "|1|127.0.0.1|five|",
        "|1|::1|5000|",
        "|2|127.0.0.1|5000|",
        "|1|localhost|5000|",
        "|1|127.0.0.1:5000|5000|",
        "|1|127.0.0|5000|",
        "|1|127.0.0.256|5000|",
        "|2|::1%lo|5000|",
        "|2|[::1]|5000|",
        "|2|fe80::g|5000|",
        "|one|127.0.0.1|5000|",
        "|1,127.0.0.1,5000|",
        " 1 127.0.0.1 5000 ",
        "é1é127.0.0.1é5000é",
        "\x7f1\x7f127.0.0.1\x7f5000\x7f",
        "|1|127.0.0.1|99999999999|",
        "|1|127.0.0.1|٥٠٠٠|",
        "|-1|127.0.0.1|5000|",
    ],
)
def test_an_eprt_that_is_malformed_is_a_syntax_error(control: Control, argument: str) -> None:
    assert control.ask(f"EPRT {argument}").code == 501


@pytest.mark.req("S-2428-EPRT-2", "S-2428-EPRT-4", "S-2428-EPSV-4")
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize(
    "command", ["EPRT |3|127.0.0.1|5000|", "EPRT |0|127.0.0.1|5000|", "EPRT |99999|x|5000|", "EPSV 3", "EPSV 0"]
)
def test_another_network_protocol_is_refused_with_those_that_can_be_used(
    running: Running, family: int, command: str
) -> None:
    with running.login(family=family) as control:
        refusal = control.ask(command)
        assert refusal.code == 522
        assert parse_families(refusal.text) == (1, 2)
        assert refusal.text.count("(") == refusal.text.count(")") == 1


@pytest.mark.req("S-2428-EPRT-2", "S-2428-EPRT-4", "S-2428-EPSV-3")
def test_only_families_that_can_be_used_are_listed(outside: Running) -> None:
    with outside.login() as control:
        for command in ("EPRT |2|2001:db8::1|5000|", "EPRT |3|x|5000|", "EPSV 2", "EPSV 3"):
            refusal = control.ask(command)
            assert refusal.code == 522
            assert parse_families(refusal.text) == (1,)
        assert control.ask("EPSV 1").code == 229
        assert control.fetch("RETR file") == b"content"


@pytest.mark.req("S-2577-EPRT-5")
@pytest.mark.parametrize("family", [4, 6])
def test_eprt_calls_no_third_party_and_no_privileged_port(running: Running, family: int) -> None:
    with running.login(family=family) as control:
        for argument in ("|1|192.0.2.1|5000|", "|2|2001:db8::1|5000|", "|1|127.0.0.1|1023|", "|2|::1|21|"):
            assert control.ask(f"EPRT {argument}").code == 504


@pytest.mark.req("S-2577-EPRT-5", "S-959-PORT-4")
def test_a_client_that_comes_mapped_into_ipv6_is_the_ipv4_client_it_is(root: Path) -> None:
    with (
        closing(LocalStorage(root, durability="relaxed")) as storage,
        serving(
            storage, accounts=MemoryAccounts.sharing(storage, {"me": "secret"}, write=True), listen=(("::", 0),)
        ) as running,
        Control(socket.create_connection(("127.0.0.1", running.server.addresses[0][1]), 10)) as control,
    ):
        assert control.read().code == 220
        assert control.codes("USER me", "PASS secret", "TYPE I") == [331, 230, 200]
        for mode in ("PORT", "EPRT", "PASV", "EPSV"):
            assert control.fetch("RETR file", mode) == b"content"
        assert control.ask("EPRT |1|192.0.2.1|5000|").code == 504


@pytest.mark.req("S-2428-EPSV-1", "S-2428-EPSV-2")
@pytest.mark.parametrize("family", [4, 6])
def test_epsv_tells_a_port_at_the_address_of_the_control_connection(
    running: Running, content: bytes, family: int
) -> None:
    with running.login(family=family) as control:
        reply = control.ask("EPSV")
        assert reply.code == 229
        match = re.fullmatch(r"[^()]*\(\|\|\|([1-9][0-9]*)\|\)[^()]*", reply.text)
        assert match is not None
        with socket.create_connection((LOOPBACK[family], int(match[1])), 10) as data:
            assert control.ask("RETR file").code == 150
            assert receive(data) == content
        assert control.read().code == 226


@pytest.mark.req("S-2428-EPSV-3")
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("asked", [4, 6])
def test_epsv_listens_on_the_family_that_is_asked_for(
    running: Running, content: bytes, family: int, asked: int
) -> None:
    with running.login(family=family) as control:
        reply = control.ask(f"EPSV {1 if asked == 4 else 2}")
        assert reply.code == 229
        with socket.create_connection((LOOPBACK[asked], int(reply.text.split("|")[3])), 10) as data:
            assert control.ask("RETR file").code == 150
            assert receive(data) == content
        assert control.read().code == 226


@pytest.mark.req("S-2428-EPSV-4")
@pytest.mark.parametrize("argument", ["x", "1 2", "ALL ALL", "|1|", "-1", "1.0", "ipv4", "A", "ALLE", " 1", "1 ", "²"])
def test_an_epsv_that_is_malformed_is_a_syntax_error(control: Control, argument: str) -> None:
    assert control.ask(f"EPSV {argument}").code == 501


@pytest.mark.req("S-2428-EPSV-5")
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("argument", ["ALL", "all", "All"])
def test_after_epsv_all_there_is_only_epsv(running: Running, content: bytes, family: int, argument: str) -> None:
    with running.login(family=family) as control:
        assert control.ask(f"EPSV {argument}").code == 200
        for refused in (
            "PASV", "PORT 127,0,0,1,200,10", "EPRT |1|127.0.0.1|51210|", "EPRT |2|::1|51210|", "PORT x", "EPRT |3|x|1|",
        ):  # fmt: skip
            assert control.ask(refused).code == 501
        for refused in ("LPRT 4,4,127,0,0,1,2,200,10", "LPSV", "SPSV"):
            assert control.ask(refused).code in {500, 501, 502, 503}
        assert control.ask("ABOR").code == 226
        assert control.ask("PASV").code == 501
        assert control.fetch("RETR file", "EPSV") == content
        assert control.codes("EPSV 1", "EPSV 2", "EPSV ALL", "EPSV 3") == [229, 229, 200, 522]
        assert control.codes("USER me", "PASS secret", "PASV") == [331, 230, 501]
        assert control.codes("REIN", "USER me", "PASS secret", "TYPE I") == [220, 331, 230, 200]
        assert control.fetch("RETR file", "PASV" if family == 4 else "EPRT") == content


@pytest.mark.req("S-2428-EPSV-5", "S-2428-EPSV-6")
@pytest.mark.parametrize("before", [None, "PORT", "EPRT", "PASV"])
@pytest.mark.parametrize("verb", ["RETR file", "STOR new", "APPE new", "STOU", "LIST", "NLST", "MLSD"])
def test_after_epsv_all_no_data_connection_is_made_without_epsv(
    running: Running, root: Path, before: str | None, verb: str
) -> None:
    with running.login() as control:
        opened: list[socket.socket] = []
        if before in {"PORT", "EPRT"}:
            opened.append(control.active(before))
        elif before is not None:
            assert control.ask(before).code == 227
        assert control.ask("EPSV ALL").code == 200
        assert control.ask(verb).code in {425, 503}
        for listener in opened:
            listener.close()
    assert [path.name for path in root.iterdir()] == ["file"]


@pytest.mark.parametrize("verb", ["RETR file", "STOR new", "APPE new", "STOU", "LIST", "NLST", "MLSD"])
def test_where_active_mode_is_off_the_default_port_is_not_called(root: Path, verb: str) -> None:
    with (
        closing(LocalStorage(root, durability="relaxed")) as storage,
        serving(
            storage, accounts=MemoryAccounts.sharing(storage, {"me": "secret"}, write=True), active=False
        ) as running,
        running.login() as control,
    ):
        assert control.codes("EPRT |1|127.0.0.1|51210|", "PORT 127,0,0,1,200,10", verb) == [504, 504, 425]
        for mode in ("EPSV", "PASV"):
            assert control.fetch("RETR file", mode) == b"content"
    assert [path.name for path in root.iterdir()] == ["file"]


@pytest.mark.req("S-2428-EPSV-5")
def test_epsv_all_leaves_a_port_that_epsv_opened(control: Control, content: bytes) -> None:
    with control.passive("EPSV") as data:
        assert control.ask("EPSV ALL").code == 200
        assert control.ask("RETR file").code == 150
        assert receive(data) == content
    assert control.read().code == 226
