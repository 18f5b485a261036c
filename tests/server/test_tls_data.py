"""Data connections under TLS: every transfer in every mode, how it ends, and what is refused."""

from __future__ import annotations

import fcntl
import os
import socket
import ssl
import struct
import termios
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.events import TransferFailed, TransferFinished
from fairlead.reach.cause import Cause
from fairlead.storage.local import LocalStorage
from fairlead.tls import Tls
from tests.certificates import Pair, make
from tests.server.secure import Secure, connect, connect_implicitly, login, protected, receive_all, trusting
from tests.server.session import Running, receive, reset

SIZES = [0, 1, 1000, 16384, 65536, 65537, 300_000, 3_000_000]
MODES = ["EPSV", "PASV", "EPRT", "PORT"]


@pytest.fixture
def secured(storage: LocalStorage, pair: Pair) -> Iterator[Running]:
    with protected(storage, pair) as server:
        yield server


@pytest.fixture
def strict(storage: LocalStorage, pair: Pair) -> Iterator[Running]:
    """Where TLS is required."""
    with protected(storage, pair, {"required": True}) as server:
        yield server


@pytest.fixture
def control(secured: Running, context: ssl.SSLContext) -> Iterator[Secure]:
    with login(secured, context) as connection:
        yield connection


# Transfers


@pytest.mark.req("S-4217-DATA-6", "S-959-IMG-1")
@pytest.mark.parametrize("size", SIZES)
def test_files_go_both_ways_whole(control: Secure, root: Path, size: int) -> None:
    data = os.urandom(size)

    assert control.store("STOR file", data).code == 226
    assert (root / "file").read_bytes() == data
    assert control.fetch("RETR file") == data


@pytest.mark.req("S-4217-DATA-3", "S-4217-PROT-1")
@pytest.mark.parametrize("mode", MODES)
def test_the_server_is_the_server_of_tls_in_every_mode(control: Secure, root: Path, mode: str) -> None:
    data = os.urandom(200_000)

    assert control.store("STOR file", data, mode).code == 226
    assert (root / "file").read_bytes() == data
    assert control.fetch("RETR file", mode) == data
    assert control.fetch("NLST", mode) == b"file\r\n"


def test_over_ipv6(storage: LocalStorage, pair: Pair) -> None:
    context = trusting(pair.certificate)
    with (
        protected(storage, pair) as running,
        Secure(socket.create_connection(running.address(6), 10), context) as control,
    ):
        assert control.read().code == 220
        control.auth()
        control.log_in()
        control.protect()
        for mode in ("EPSV", "EPRT"):
            assert control.store("STOR file", b"data", mode).code == 226
            assert control.fetch("RETR file", mode) == b"data"


@pytest.mark.req("S-4217-DATA-6")
@pytest.mark.parametrize("command", ["LIST", "NLST", "MLSD", "LIST sub"])
def test_listings(control: Secure, root: Path, command: str) -> None:
    (root / "sub").mkdir()
    for number in range(500):
        (root / "sub" / f"{number:03}").touch()
    (root / "file").write_bytes(b"x")

    lines = control.fetch(command).splitlines()

    assert len(lines) == (500 if command == "LIST sub" else 2)


def test_an_empty_listing(control: Secure) -> None:
    assert control.fetch("NLST") == b""


def test_what_goes_over_the_wire_is_in_cipher(control: Secure, root: Path) -> None:
    (root / "file").write_bytes(b"the secret " * 100)
    with control.open("EPSV") as data:
        control.send("RETR file")
        assert control.read().code == 150
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        end = control.context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        seen = b""
        while True:
            try:
                end.do_handshake()
                break
            except ssl.SSLWantReadError:
                data.sendall(outgoing.read())
                seen += (came := data.recv(65536))
                incoming.write(came)
        data.sendall(outgoing.read())
        while came := data.recv(65536):
            seen += came
    assert control.read().code == 226
    assert len(seen) > 1100
    assert b"secret" not in seen


@pytest.mark.req("S-959-ASC-1", "S-959-ASC-2")
def test_text_is_converted(control: Secure, root: Path) -> None:
    assert control.ask("TYPE A").code == 200
    assert control.store("STOR text", b"one\r\ntwo\r\n").code == 226
    assert (root / "text").read_bytes() == b"one\ntwo\n"
    assert control.fetch("RETR text") == b"one\r\ntwo\r\n"


@pytest.mark.req("S-3659-REST-5")
def test_transfers_go_on_from_an_offset(control: Secure, root: Path) -> None:
    data = os.urandom(200_000)
    (root / "file").write_bytes(data)
    for offset in (0, 1, 100_000, 199_999, 200_000):
        assert control.ask(f"REST {offset}").code == 350
        assert control.fetch("RETR file") == data[offset:]
    (root / "part").write_bytes(data[:70_000])
    assert control.ask("REST 70000").code == 350
    assert control.store("STOR part", data[70_000:]).code == 226
    assert control.store("APPE part", b"more").code == 226
    assert (root / "part").read_bytes() == data + b"more"


def test_unique_names(control: Secure, root: Path) -> None:
    assert control.store("STOU", b"data").code == 226
    assert [path.read_bytes() for path in root.iterdir()] == [b"data"]


@pytest.mark.req("S-ZLIB-3")
def test_compression_comes_before_tls(control: Secure, root: Path) -> None:
    assert control.ask("MODE Z").code == 200
    data = b"much the same " * 20_000
    assert control.store("STOR file", zlib.compress(data)).code == 226
    assert (root / "file").read_bytes() == data
    received = control.fetch("RETR file")
    assert zlib.decompress(received) == data
    assert len(received) < len(data) / 10


def block(data: bytes, descriptor: int = 0) -> bytes:
    return bytes([descriptor]) + len(data).to_bytes(2) + data


@pytest.mark.req("S-959-BLK-6", "S-959-DC-6")
def test_a_kept_connection_stays_under_tls(control: Secure, root: Path) -> None:
    assert control.ask("MODE B").code == 200
    with control.open("EPSV") as data:
        assert control.ask("STOR a").code == 150
        with control.wrap(data.connection) as kept:
            kept.sendall(block(b"first", 64))
            assert control.read().code == 250
            assert control.ask("STOR b").code == 125
            kept.sendall(block(b"second", 64))
            assert control.read().code == 250
            assert control.ask("RETR a").code == 125
            assert kept.recv(100) == block(b"first", 64)
            assert control.read().code == 250
            assert control.ask("STOR c").code == 125
            kept.sendall(block(b"cut"))
            end_tls_without_reading(kept)
            assert control.read().code == 426
    assert (root / "a").read_bytes() == b"first"
    assert (root / "b").read_bytes() == b"second"
    assert not (root / "c").exists()


@pytest.mark.req("S-4217-PROT-1")
@pytest.mark.parametrize("protects", [True, False])
def test_a_kept_connection_ends_with_its_level(control: Secure, protects: bool) -> None:
    control.protects = protects
    assert control.codes(f"PROT {'P' if protects else 'C'}", "MODE B") == [200, 200]
    with control.open("EPSV") as data:
        assert control.ask("STOR a").code == 150
        with control.wrap(data.connection) if protects else data.connection as connection:
            connection.sendall(block(b"first", 64))
            assert control.read().code == 250
            assert control.ask(f"PROT {'C' if protects else 'P'}").code == 200
            assert connection.recv(1) == b""


@pytest.mark.req("S-4217-PROT-1")
def test_the_level_can_change_at_any_time(control: Secure, root: Path) -> None:
    (root / "file").write_bytes(b"data")
    for _ in range(2):
        for level in "CP":
            assert control.ask(f"PROT {level}").code == 200
            control.protects = level == "P"
            assert control.fetch("RETR file") == b"data"
            assert control.store("STOR copy", b"data").code == 226


@pytest.mark.req("S-4217-PROT-1")
@pytest.mark.parametrize("mode", ["EPSV", "EPRT"])
def test_the_level_counts_when_the_transfer_begins(control: Secure, root: Path, mode: str) -> None:
    (root / "file").write_bytes(b"data")
    assert control.ask("PROT C").code == 200
    with control.open(mode) as data:
        assert control.codes("PROT P", "RETR file") == [200, 150]
        with control.wrap(data.connection) as connection:
            assert receive_all(connection) == b"data"
        assert control.read().code == 226
    with control.open(mode) as data:
        assert control.codes("PROT C", "RETR file") == [200, 150]
        assert receive(data) == b"data"
        assert control.read().code == 226


@pytest.mark.req("S-4217-PROT-1")
def test_at_first_data_are_in_clear(secured: Running, root: Path, context: ssl.SSLContext) -> None:
    (root / "file").write_bytes(b"data")
    with login(secured, context, protect=False) as control:
        assert control.fetch("RETR file") == b"data"
        assert control.ask("PBSZ 0").code == 200
        assert control.fetch("RETR file") == b"data"


@pytest.mark.req("S-4217-DATA-5")
def test_data_and_control_connection_show_the_same_certificate(control: Secure, root: Path) -> None:
    (root / "file").write_bytes(b"data")
    control.resumes = False
    with control.transfer("RETR file") as data:
        assert data.getpeercert(binary_form=True) == control.tls.getpeercert(binary_form=True)
        assert receive_all(data) == b"data"
    assert control.read().code == 226


def test_a_client_may_shake_hands_before_its_command(control: Secure, root: Path) -> None:
    """The server begins TLS after its 150; until then the first message waits."""
    (root / "file").write_bytes(b"data")
    with control.passive() as data:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        end = control.context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            end.do_handshake()
        data.sendall(outgoing.read())
        assert control.ask("RETR file").code == 150
        plain = b""
        while came := data.recv(65536):
            incoming.write(came)
            try:
                end.do_handshake()
                data.sendall(outgoing.read())
                plain += end.read(100)
            except ssl.SSLWantReadError:
                data.sendall(outgoing.read())
        assert plain == b"data"
    assert control.read().code == 226


def test_the_octets_of_a_transfer_are_counted_in_plain(secured: Running, control: Secure, root: Path) -> None:
    (root / "file").write_bytes(bytes(100_000))
    control.fetch("RETR file")
    control.store("STOR copy", bytes(100_001))

    sizes = [event.size for event in secured.recorded if isinstance(event, TransferFinished)]
    assert sizes == [100_000, 100_001]


# The end of the data


@pytest.mark.req("S-4217-DATA-6")
@pytest.mark.parametrize("size", [0, 5, 1_000_000])
def test_an_upload_cut_without_close_notify_is_not_taken_for_whole(
    secured: Running, control: Secure, root: Path, size: int
) -> None:
    (root / "file").write_bytes(b"old")
    with control.transfer("STOR file") as data:
        data.sendall(bytes(size))
        socket.socket(fileno=data.detach()).close()
    reply = control.read()
    assert reply.code == 426
    assert "close_notify" in reply.text
    assert (root / "file").read_bytes() == b"old"
    failed = secured.await_event(TransferFailed)
    assert (failed.cause, failed.size, failed.code) == (Cause.DATA_CUT, size, 426)


@pytest.mark.req("S-4217-DATA-6", "S-SEC-9")
def test_what_came_of_a_cut_upload_is_kept_for_going_on(control: Secure, root: Path) -> None:
    data = os.urandom(1_000_000)
    with control.transfer("STOR file") as connection:
        connection.sendall(data[:600_000])
        socket.socket(fileno=connection.detach()).close()
    assert control.read().code == 426
    assert not (root / "file").exists()
    assert control.ask("SIZE file").text == "600000"
    assert control.ask("REST 600000").code == 350
    assert control.store("STOR file", data[600_000:]).code == 226
    assert (root / "file").read_bytes() == data


@pytest.mark.req("S-4217-DATA-6")
def test_where_close_notify_is_not_required_the_end_of_the_connection_will_do(
    storage: LocalStorage, pair: Pair, root: Path, context: ssl.SSLContext
) -> None:
    with (
        protected(storage, pair, {"require_close_notify": False}) as running,
        login(running, context) as control,
    ):
        with control.transfer("STOR file") as data:
            data.sendall(b"all of it")
            socket.socket(fileno=data.detach()).close()
        assert control.read().code == 226
    assert (root / "file").read_bytes() == b"all of it"


@pytest.mark.req("S-4217-DATA-6")
@pytest.mark.parametrize("size", [1, 40_000, 1_500_000])
def test_an_upload_that_is_reset_right_after_its_end_is_whole(control: Secure, root: Path, size: int) -> None:
    """A client that leaves something unread resets the connection by closing it."""
    data = os.urandom(size)
    with control.transfer("STOR file") as connection:
        connection.sendall(data)
        end_tls_without_reading(connection)
        # Only what has arrived outlives a reset; a client's system throws the rest away.
        await_delivery(connection)
        reset(socket.socket(fileno=connection.detach()))
    assert control.read().code == 226
    assert (root / "file").read_bytes() == data


@pytest.mark.req("S-4217-DATA-6")
def test_a_client_that_never_reads_loses_no_upload(control: Secure, root: Path) -> None:
    """It leaves no ticket unread, so that closing does not reset the connection and lose what is on its way."""
    data = os.urandom(400_000)
    for number in range(30):
        with control.transfer(f"STOR {number}") as connection:
            connection.sendall(data)
            end_tls_without_reading(connection)
            socket.socket(fileno=connection.detach()).close()
        assert control.read().code == 226
        assert (root / str(number)).read_bytes() == data


def end_tls_without_reading(connection: ssl.SSLSocket) -> bool:
    """Send close_notify, not waiting for one of the server; whether nothing of the server's was taken by that."""
    connection.setblocking(False)
    try:
        connection.unwrap()
    except ssl.SSLWantReadError:
        pass
    except ssl.SSLError as error:
        # The server's data were quicker: once the close_notify is sent, Python looks all the same.
        if error.reason != "APPLICATION_DATA_AFTER_CLOSE_NOTIFY":
            raise
        return False
    finally:
        connection.setblocking(True)
    return True


def await_delivery(connection: socket.socket) -> None:
    """Wait until the other end's system has all that was sent."""
    while struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)))[0]:
        time.sleep(0.001)  # between two looks


@pytest.mark.req("S-4217-DATA-6")
def test_an_upload_ended_by_tls_needs_no_end_of_the_connection(control: Secure, root: Path) -> None:
    with control.transfer("STOR file") as connection:
        connection.sendall(b"whole")
        plain = connection.unwrap()
        assert control.read().code == 226
        assert plain.recv(1) == b""
    assert (root / "file").read_bytes() == b"whole"


@pytest.mark.req("S-4217-DATA-6")
@pytest.mark.parametrize("data", [b"", b"data"])
def test_an_upload_that_comes_with_the_end_of_the_handshake_is_not_waited_for(
    control: Secure, root: Path, data: bytes
) -> None:
    """It is read with it; nothing more comes of a client that waits for the server's close_notify."""
    client = Tls(control.context, server_name="localhost", session=control.tls.session)
    with control.passive() as connection:
        assert control.ask("STOR file").code == 150
        client.handshake()
        while not client.established:
            connection.sendall(client.take())
            client.handshake(connection.recv(1 << 16))
        connection.sendall(client.take() + client.send(data) + client.end())
        assert control.read().code == 226
    assert (root / "file").read_bytes() == data


@pytest.mark.req("S-4217-DATA-6")
def test_the_server_ends_tls_after_an_upload(control: Secure) -> None:
    with control.transfer("STOR file") as connection:
        connection.sendall(b"whole")
        connection.unwrap()  # waits for it
    assert control.read().code == 226


@pytest.mark.req("S-4217-DATA-6")
@pytest.mark.parametrize("size", [10, 2_000_000])
def test_a_client_that_ends_its_side_early_gets_all_the_same(control: Secure, root: Path, size: int) -> None:
    data = os.urandom(size)
    (root / "file").write_bytes(data)
    with control.transfer("RETR file") as connection:
        untouched = end_tls_without_reading(connection)
        # Python's own object reads no more after that, another one on the same keys does not exist: look at the wire.
        raw = socket.socket(fileno=connection.detach())
        with raw:
            raw.settimeout(10)
            received = 0
            while piece := raw.recv(1 << 20):
                received += len(piece)
    assert received > size or not untouched
    assert control.read().code == 226


@pytest.mark.req("S-4217-DATA-6")
def test_a_download_that_breaks_off_does_not_look_whole(control: Secure, root: Path) -> None:
    (root / "file").write_bytes(bytes(20 << 20))
    with control.transfer("RETR file") as connection:
        assert connection.recv(100)
        os.truncate(root / "file", 1000)
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            receive_all(connection)
    assert control.read().code == 451


def test_a_client_that_goes_away_during_a_download_has_not_had_it(
    secured: Running, control: Secure, root: Path
) -> None:
    (root / "file").write_bytes(bytes(20 << 20))
    with control.transfer("RETR file") as connection:
        assert connection.recv(100)
        reset(socket.socket(fileno=connection.detach()))
    assert control.read().code == 426
    assert secured.await_event(TransferFailed).cause == Cause.DATA_CUT


def test_a_client_that_does_not_read_is_given_up(
    storage: LocalStorage, pair: Pair, root: Path, context: ssl.SSLContext
) -> None:
    with (root / "file").open("wb") as file:
        file.truncate(1 << 30)
    with protected(storage, pair, data_stall_timeout=0.3) as running, login(running, context) as control:
        with control.transfer("RETR file") as connection:
            assert connection.recv(100)
            assert control.read().code == 426
        assert running.await_event(TransferFailed).cause == Cause.DATA_STALLED
        with control.transfer("STOR copy") as connection:
            connection.sendall(b"some")
            assert control.read().code == 426


@pytest.mark.req("S-2228-XFER-1")
@pytest.mark.parametrize("before", [0, 500_000])
def test_a_record_that_was_damaged_ends_the_upload(secured: Running, control: Secure, root: Path, before: int) -> None:
    with control.transfer("STOR file") as connection:
        connection.sendall(bytes(before))
        raw = socket.socket(fileno=connection.detach())
        with raw:
            raw.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
            reply = control.read()
    assert reply.code == 535
    assert "damaged" in reply.text
    assert not (root / "file").exists()
    assert secured.await_event(TransferFailed).cause == Cause.DATA_TLS_FAILED


# What is refused

TRANSFERS = ["RETR file", "STOR new", "APPE new", "STOU", "LIST", "NLST", "MLSD"]


@pytest.mark.req("S-4217-DATA-1", "S-2228-XFER-1", "S-ERR-7", "R-8")
@pytest.mark.parametrize("command", TRANSFERS)
def test_data_in_clear_are_refused_where_tls_is_required(
    strict: Running, root: Path, context: ssl.SSLContext, command: str
) -> None:
    (root / "file").write_bytes(b"data")
    with login(strict, context, protect=False) as control:
        for set_up in (control.passive, control.active):  # setting the port up is not refused
            with set_up():
                assert control.codes(command, "NOOP") == [521, 200]
        assert [path.name for path in root.iterdir()] == ["file"]
        control.protect()
        assert control.fetch("RETR file") == b"data"


@pytest.mark.req("S-4217-DATA-1", "S-959-AUTHZ-1")
@pytest.mark.parametrize("command", TRANSFERS)
def test_before_the_login_that_is_what_is_missing(strict: Running, context: ssl.SSLContext, command: str) -> None:
    with connect(strict, context) as control:
        assert control.ask(command).code == 530
        control.auth()
        assert control.ask(command).code == 530


@pytest.mark.req("S-4217-DATA-2")
@pytest.mark.parametrize("command", ["RETR file", "STOR new", "LIST"])
@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"no TLS at all\r\n", "what came is not TLS"),
        (b"\x16\x03\x01\x00\x04\x01\x00\x00\x00", "TLS failed"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "a message of TLS came that does not belong there"),
        (b"", "the peer ended the connection during the TLS handshake"),
    ],
    ids=["clear", "garbage", "alert", "end"],
)
def test_a_handshake_that_fails_is_answered_522(
    secured: Running, control: Secure, root: Path, command: str, said: bytes, why: str
) -> None:
    (root / "file").write_bytes(b"data")
    with control.passive() as data:
        assert control.ask(command).code == 150
        if said:
            data.sendall(said)
        else:
            data.shutdown(socket.SHUT_WR)
        reply = control.read()
        assert reply.code == 522
        assert why in reply.text
        assert receive_or_reset(data)[:1] in {b"", b"\x15"}
    assert not (root / "new").exists()
    failed = secured.await_event(TransferFailed)
    assert (failed.cause, failed.code) == (Cause.DATA_TLS_FAILED, 522)
    assert control.fetch("NLST") == b"file\r\n"


def receive_or_reset(data: socket.socket) -> bytes:
    try:
        return receive(data)
    except ConnectionResetError:
        return b""


@pytest.mark.req("S-4217-DATA-2")
def test_a_client_that_trusts_another_certificate_is_answered_522(control: Secure, tmp_path: Path) -> None:
    control.resumes = False
    control.context = trusting(make(tmp_path, "stranger").certificate)
    with control.passive() as data:
        assert control.ask("LIST").code == 150
        with pytest.raises(ssl.SSLCertVerificationError):
            control.wrap(data)
    reply = control.read()
    assert reply.code == 522
    assert "does not trust" in reply.text


@pytest.mark.req("S-4217-DATA-2")
@pytest.mark.parametrize("command", ["RETR file", "STOR new"])
def test_a_client_that_waits_for_data_in_clear_is_told_why(
    storage: LocalStorage, pair: Pair, root: Path, context: ssl.SSLContext, command: str
) -> None:
    (root / "file").write_bytes(b"data")
    with (
        protected(storage, pair, data_connect_timeout=0.3) as running,
        login(running, context) as control,
        control.passive() as data,
    ):
        assert control.ask(command).code == 150
        reply = control.read()
        assert reply.code == 522
        assert "PROT P" in reply.text
        assert data.recv(1) == b""
        assert control.ask("NOOP").code == 200


@pytest.mark.req("S-4217-ALPN-1")
@pytest.mark.parametrize("implicitly", [True, False])
def test_a_browser_on_the_data_connection_is_turned_away(
    storage: LocalStorage, pair: Pair, root: Path, context: ssl.SSLContext, implicitly: bool
) -> None:
    (root / "page").write_bytes(b"<script>")
    browser = trusting(pair.certificate)
    browser.set_alpn_protocols(["h2", "http/1.1"])
    with (
        protected(storage, pair, {"implicit": [("127.0.0.1", 0)]}) as running,
        (connect_implicitly if implicitly else login)(running, context) as control,
    ):
        if implicitly:
            control.log_in()
        with control.passive() as data:
            assert control.ask("RETR page").code == 150
            with pytest.raises(ssl.SSLError, match="no application protocol"):
                browser.wrap_socket(data, server_hostname="localhost")
        assert control.read().code == 522


@pytest.mark.req("S-4217-ALPN-1")
def test_ftp_is_agreed_on_for_data_too(control: Secure) -> None:
    control.context.set_alpn_protocols(["ftp"])
    with control.transfer("NLST") as data:
        assert data.selected_alpn_protocol() == "ftp"
        assert receive_all(data) == b""
    assert control.read().code == 226


@pytest.mark.req("S-959-ABOR-1", "S-DF-ABOR-5")
def test_an_abort_during_the_handshake(control: Secure, root: Path) -> None:
    (root / "file").write_bytes(b"data")
    with control.passive() as data:
        assert control.ask("RETR file").code == 150
        control.send("ABOR")
        assert control.read_codes(2) == [426, 226]
        assert data.recv(1) == b""
    assert control.fetch("RETR file") == b"data"


@pytest.mark.req("S-959-QUIT-3")
def test_the_end_of_the_session_during_a_handshake_leaves_nothing(secured: Running, context: ssl.SSLContext) -> None:
    with login(secured, context) as control, control.passive() as data:
        assert control.ask("STOR file").code == 150
        control.close()
        assert data.recv(1) == b""
    secured.await_idle()


@pytest.mark.req("S-959-QUIT-2")
def test_quit_lets_the_transfer_end(control: Secure, root: Path) -> None:
    with control.transfer("STOR file") as data:
        data.sendall(b"some")
        control.send("QUIT")
        data.sendall(b" more")
        data.unwrap()
    assert control.read_codes(2) == [226, 221]
    assert control.at_end()
    assert (root / "file").read_bytes() == b"some more"
