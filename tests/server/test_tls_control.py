"""TLS on the control connection: how it begins, what must not get into it, how it ends."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fairlead.events import LoginSucceeded, Noticed, SessionClosed
from fairlead.proto.reply import Reply
from fairlead.reach.cause import Cause
from fairlead.storage.local import LocalStorage
from fairlead.tls import Tls
from tests.certificates import Pair, make
from tests.server.secure import Secure, connect, connect_implicitly, login, protected, receive_all, trusting
from tests.server.session import DEADLINE, Running


@pytest.fixture
def running(storage: LocalStorage, pair: Pair) -> Iterator[Running]:
    with protected(storage, pair) as server:
        yield server


@pytest.fixture
def strict(storage: LocalStorage, pair: Pair) -> Iterator[Running]:
    """Where TLS is required."""
    with protected(storage, pair, {"required": True}) as server:
        yield server


@pytest.fixture
def implicit(storage: LocalStorage, pair: Pair) -> Iterator[Running]:
    """Where TLS comes first on the last listener."""
    with protected(storage, pair, {"implicit": [("127.0.0.1", 0)]}) as server:
        yield server


class Slow:
    """TLS at the client's end that sends ``size`` octets at a time."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext, size: int = 1) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self._connection = connection
        self._size = size

    def step(self, action: Callable[[], Any]) -> Any:
        """Do ``action``, which may take several turns."""
        while True:
            try:
                result = action()
            except ssl.SSLWantReadError:
                self._flush()
                data = self._connection.recv(65536)
                assert data
                self.incoming.write(data)
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        data = self.outgoing.read()
        for at in range(0, len(data), self._size):
            self._connection.sendall(data[at : at + self._size])


# AUTH


@pytest.mark.req("S-4217-AUTH-1")
@pytest.mark.parametrize("mechanism", ["TLS", "TLS-C", "tls", "Tls-c", "SSL", "TLS-P", "ssl"])
def test_auth_begins_tls(running: Running, context: ssl.SSLContext, mechanism: str) -> None:
    with connect(running, context) as control:
        control.auth(mechanism)
        assert control.ask("NOOP").code == 200
        assert control.tls.version() == context.maximum_version.name.replace("v1_", "v1.")
        control.log_in()


@pytest.mark.req("S-4217-AUTH-1", "S-4217-PROT-1")
@pytest.mark.parametrize(("mechanism", "protects"), [("TLS", False), ("TLS-C", False), ("SSL", True), ("TLS-P", True)])
def test_the_older_mechanisms_protect_data_from_the_beginning(
    running: Running, context: ssl.SSLContext, mechanism: str, protects: bool
) -> None:
    with connect(running, context) as control:
        control.auth(mechanism)
        control.log_in()
        control.protects = protects
        assert control.fetch("NLST") == b""


@pytest.mark.req("S-4217-AUTH-2")
def test_after_auth_the_session_begins_anew(running: Running, root: Path, context: ssl.SSLContext) -> None:
    (root / "sub").mkdir()
    with connect(running, context) as control:
        assert control.codes("USER me", "PASS secret", "TYPE I", "CWD sub", "REST 5", "RNFR x") == [
            331, 230, 200, 250, 350, 550,
        ]  # fmt: skip
        listener = control.active("EPRT")
        with listener:
            control.auth()
            assert control.codes("PWD", "LIST", "PASS secret") == [530, 530, 503]
            status = control.ask("STAT").text
            assert "TYPE: A N; STRU: F; MODE: S" in status
            assert "No data connection" in status
            assert "Not logged in" in status
            control.log_in()
            assert control.ask("PWD").text.startswith('"/"')
            assert control.store("STOR new", b"all of it").code == 226
        assert (root / "new").read_bytes() == b"all of it"


@pytest.mark.req("S-4217-AUTH-2")
def test_a_user_name_given_in_clear_is_forgotten(running: Running, context: ssl.SSLContext) -> None:
    with connect(running, context) as control:
        assert control.ask("USER me").code == 331
        control.auth()
        assert control.ask("PASS secret").code == 503


@pytest.mark.req("S-4217-AUTH-3")
@pytest.mark.parametrize("injected", [b"NOOP\r\n", b"USER me\r\nPASS secret\r\nDELE kept\r\n", b"NO", b"\xff\xf4"])
def test_what_came_in_clear_behind_auth_is_never_run(
    running: Running, root: Path, context: ssl.SSLContext, injected: bytes
) -> None:
    (root / "kept").touch()
    with connect(running, context) as control:
        control.socket.sendall(b"AUTH TLS\r\n" + injected)
        assert control.read().code == 234
        control.begin_tls()
        # The reply to the first command is the first reply: nothing of the injected has one.
        assert control.ask("SYST").code == 215
        control.log_in()
    assert (root / "kept").exists()


@pytest.mark.req("S-4217-AUTH-3")
def test_what_comes_in_clear_after_the_234_ends_the_session(running: Running, context: ssl.SSLContext) -> None:
    with connect(running, context) as control:
        assert control.ask("AUTH TLS").code == 234
        control.send("USER me")
        rest = control.socket.recv(4096)
        assert not rest or rest[0] == 21  # a TLS alert, never a reply
    assert "what came is not TLS" in running.await_event(SessionClosed).reason


@pytest.mark.req("S-4217-AUTH-3", "S-959-GRAM-9")
def test_commands_before_auth_are_answered_in_clear(running: Running, context: ssl.SSLContext) -> None:
    with connect(running, context) as control:
        control.socket.sendall(b"NOOP\r\nSYST\r\nAUTH TLS\r\nNOOP\r\n")
        assert control.read_codes(3) == [200, 215, 234]
        control.begin_tls()
        assert control.ask("QUIT").code == 221


@pytest.mark.req("S-4217-AUTH-4")
@pytest.mark.parametrize("mechanism", ["TLS", "SSL", "FOO"])
def test_auth_inside_tls_is_out_of_order(running: Running, context: ssl.SSLContext, mechanism: str) -> None:
    with connect(running, context) as control:
        control.auth()
        assert control.ask(f"AUTH {mechanism}").code == 503
        assert control.ask("NOOP").code == 200


@pytest.mark.req("S-4217-AUTH-5")
def test_a_handshake_that_fails_ends_the_session(running: Running, tmp_path: Path) -> None:
    stranger = make(tmp_path, "stranger")
    with connect(running, trusting(stranger.certificate)) as control:
        assert control.ask("AUTH TLS").code == 234
        with pytest.raises(ssl.SSLCertVerificationError):
            control.begin_tls()
        notice = running.await_event(Noticed, lambda event: event.topic == Cause.TLS_FAILED)
    reason = running.await_event(SessionClosed).reason
    assert notice.message == "the peer does not trust the issuer of the certificate"
    assert reason == "TLS failed: the peer does not trust the issuer of the certificate"


@pytest.mark.req("S-4217-AUTH-5")
def test_after_a_handshake_that_failed_nothing_is_said_in_clear(running: Running, pair: Pair) -> None:
    with connect(running, trusting(pair.certificate)) as control:
        assert control.ask("AUTH TLS").code == 234
        control.socket.sendall(b"\x16\x03\x01\x00\x05hello" + b"NOOP\r\nUSER me\r\n")
        rest = b""
        while data := control.socket.recv(4096):
            rest += data
        assert rest == b"" or (rest[0] == 21 and b"200" not in rest and b"331" not in rest)


@pytest.mark.req("S-4217-AUTH-5")
def test_who_never_shakes_hands_is_cut_off_by_the_time_for_login(storage: LocalStorage, pair: Pair) -> None:
    with (
        protected(storage, pair, login_timeout=0.2) as running,
        connect(running, trusting(pair.certificate)) as control,
    ):
        assert control.ask("AUTH TLS").code == 234
        assert control.at_end()
        control.close()
        assert running.await_event(SessionClosed).reason == "no login in time"


@pytest.mark.req("S-4217-AUTH-5")
def test_who_goes_away_during_the_handshake_leaves_nothing(running: Running, pair: Pair) -> None:
    with connect(running, trusting(pair.certificate)) as control:
        assert control.ask("AUTH TLS").code == 234
        control.socket.sendall(b"\x16\x03\x01")
    running.await_idle()


def test_the_minimum_version_is_kept(storage: LocalStorage, pair: Pair) -> None:
    with protected(storage, pair, {"minimum_version": "1.3"}) as running:
        with connect(running, trusting(pair.certificate, "1.2")) as control:
            assert control.ask("AUTH TLS").code == 234
            with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
                control.begin_tls()
        with login(running, trusting(pair.certificate, "1.3")):
            pass


def test_versions_before_1_2_are_refused(running: Running, pair: Pair) -> None:
    old = trusting(pair.certificate)
    with pytest.warns(DeprecationWarning, match="TLS"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLS"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with connect(running, old) as control:
        assert control.ask("AUTH TLS").code == 234
        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
            control.begin_tls()


def test_the_version_and_the_cipher_are_in_the_record_of_the_login(running: Running, context: ssl.SSLContext) -> None:
    with login(running, context) as control:
        cipher = control.tls.cipher()
        assert cipher is not None
        assert running.await_event(LoginSucceeded).tls == f"{control.tls.version()} {cipher[0]}"


def test_a_login_in_clear_has_none(running: Running) -> None:
    with running.login():
        assert running.await_event(LoginSucceeded).tls == ""


def test_commands_may_come_octet_by_octet_and_many_at_once(running: Running, context: ssl.SSLContext) -> None:
    with login(running, context) as control:
        for octet in b"NOOP\r\nSYST\r\n":
            control.socket.sendall(bytes([octet]))
        assert control.read_codes(2) == [200, 215]
        control.socket.sendall(b"NOOP\r\n" * 5000)
        assert control.read_codes(5000) == [200] * 5000


def test_records_may_come_octet_by_octet(running: Running, context: ssl.SSLContext) -> None:
    with connect(running, context) as control:
        assert control.ask("AUTH TLS").code == 234
        end = Slow(control.socket, context)
        end.step(end.object.do_handshake)
        end.object.write(b"NOOP\r\n")
        assert end.step(lambda: end.object.read(100)).startswith(b"200 ")


# TLS required


@pytest.mark.req("S-4217-REQ-1", "S-ERR-7")
def test_where_tls_is_required_nobody_logs_in_in_clear(strict: Running, context: ssl.SSLContext) -> None:
    with connect(strict, context) as control:
        assert control.codes("USER me", "PASS secret", "ACCT x", "USER anonymous", "PWD") == [530] * 5
        assert control.codes("NOOP", "FEAT", "SYST", "STAT") == [200, 211, 215, 211]
        assert not any(isinstance(event, LoginSucceeded) for event in strict.recorded)
        control.auth()
        control.log_in()


@pytest.mark.req("S-4217-REQ-1")
def test_a_password_in_clear_is_not_even_looked_at(strict: Running, context: ssl.SSLContext) -> None:
    with connect(strict, context) as control:
        for _ in range(20):  # wrong passwords would have ended the session
            assert control.ask("PASS wrong").code == 530
        control.auth()
        control.log_in()


@pytest.mark.req("S-4217-REQ-1", "S-4217-REIN-1")
def test_after_rein_tls_is_required_again(strict: Running, context: ssl.SSLContext) -> None:
    with login(strict, context) as control:
        assert control.ask("REIN").code == 220
        control.end_tls()
        assert control.ask("USER me").code == 530
        control.auth()
        control.log_in()


# The end of TLS


@pytest.mark.req("S-4217-CCC-1")
def test_ccc_leaves_the_control_connection_in_clear(running: Running, root: Path, context: ssl.SSLContext) -> None:
    (root / "file").write_bytes(b"data")
    with login(running, context) as control:
        session = control.tls.session
        assert control.ask("CCC").code == 200
        control.end_tls()
        assert control.ask("PWD").code == 257
        assert control.codes("PBSZ 0", "PROT C", "AUTH TLS", "CCC") == [503, 503, 503, 533]
        # Data connections stay as PROT set them, and can still resume.
        with control.open("EPSV") as data:
            assert control.ask("RETR file").code == 150
            with context.wrap_socket(data.connection, server_hostname="localhost", session=session) as protected:
                assert protected.session_reused
                assert protected.recv(100) == b"data"
        assert control.read().code == 226
        assert control.ask("QUIT").code == 221


@pytest.mark.req("S-4217-CCC-1")
def test_the_reply_to_ccc_is_under_tls_and_what_follows_is_not(running: Running, context: ssl.SSLContext) -> None:
    with login(running, context) as control:
        control.send("CCC")
        assert control.tls.recv(100).startswith(b"200 ")
        assert control.tls.recv(100) == b""  # close_notify
        control.end_tls()
        control.socket.sendall(b"NOOP\r\n")
        assert control.socket.recv(100).startswith(b"200 ")


@pytest.mark.req("S-4217-CCC-1")
def test_clear_commands_in_the_same_segment_as_the_end_of_tls_are_run(running: Running, pair: Pair) -> None:
    context = trusting(pair.certificate)
    with connect(running, context) as control:
        assert control.ask("AUTH TLS").code == 234
        end = Slow(control.socket, context, size=1 << 20)
        end.step(end.object.do_handshake)
        end.object.write(b"CCC\r\n")
        assert end.step(lambda: end.object.read(100)).startswith(b"200 ")
        assert end.step(lambda: end.object.read(100)) == b""
        end.object.unwrap()
        control.socket.sendall(end.outgoing.read() + b"SYST\r\nNOOP\r\n")
        assert control.read_codes(2) == [215, 200]


@pytest.mark.req("S-4217-CCC-1", "S-2228-CCC-1")
def test_ccc_needs_tls_and_the_will_of_the_server(running: Running, strict: Running, context: ssl.SSLContext) -> None:
    with connect(running, context) as control:
        assert control.ask("CCC").code == 533
    with login(strict, context) as control:
        assert control.ask("CCC").code == 534
        assert control.ask("PWD").code == 257
        assert isinstance(control.socket, ssl.SSLSocket)


@pytest.mark.req("S-4217-REIN-1", "S-959-REIN-1")
def test_rein_is_answered_under_tls_and_ends_it(running: Running, context: ssl.SSLContext) -> None:
    with login(running, context) as control:
        control.send("REIN")
        assert control.tls.recv(100).startswith(b"220 ")
        assert control.tls.recv(100) == b""
        control.end_tls()
        assert control.codes("PWD", "PBSZ 0", "PROT P") == [530, 503, 503]
        control.protects = False
        control.log_in()
        assert control.fetch("NLST") == b""


@pytest.mark.req("S-4217-REIN-1", "S-4217-AUTH-1")
def test_after_rein_and_ccc_tls_can_begin_again(running: Running, context: ssl.SSLContext) -> None:
    with login(running, context) as control:
        assert control.ask("CCC").code == 200
        control.end_tls()
        assert control.ask("REIN").code == 220
        for _ in range(3):
            control.auth()
            control.log_in()
            control.protect()
            assert control.fetch("NLST") == b""
            assert control.ask("REIN").code == 220
            control.end_tls()
            control.protects = False


@pytest.mark.req("S-4217-REIN-1")
def test_auth_waits_for_the_end_of_tls_after_rein(running: Running, context: ssl.SSLContext) -> None:
    with login(running, context) as control:
        control.socket.sendall(b"REIN\r\nAUTH TLS\r\n")
        assert control.read_codes(2) == [220, 503]
        control.end_tls()
        control.auth()


@pytest.mark.req("S-959-QUIT-1")
def test_quit_ends_tls_and_the_connection(running: Running, context: ssl.SSLContext) -> None:
    with login(running, context) as control:
        control.send("QUIT")
        assert control.tls.recv(100).startswith(b"221 ")
        assert control.tls.recv(100) == b""
        control.tls.unwrap()
    running.await_idle()


def test_a_client_that_ends_tls_has_ended_the_session(running: Running, context: ssl.SSLContext) -> None:
    with login(running, context) as control:
        plain = control.tls.unwrap()
        assert plain.recv(100) == b""
        assert running.await_event(SessionClosed).reason == "the client closed the connection"
    running.await_idle()


def test_a_client_that_only_closes_has_ended_it_too(running: Running, context: ssl.SSLContext) -> None:
    with login(running, context):
        pass
    assert running.await_event(SessionClosed).reason == "the client closed the connection"
    running.await_idle()


def test_a_record_that_was_damaged_ends_the_session(running: Running, context: ssl.SSLContext) -> None:
    with login(running, context) as control:
        raw = socket.socket(fileno=control.tls.detach())
        with raw:
            raw.settimeout(DEADLINE)
            raw.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
            assert b"200" not in raw.recv(4096)
    assert "damaged" in running.await_event(SessionClosed).reason


def test_stopping_tells_sessions_under_tls(running: Running, context: ssl.SSLContext) -> None:
    with login(running, context) as control:
        running.call(running.server.stop_idle)
        assert control.read().code == 421
        assert control.at_end()


# Implicit TLS


@pytest.mark.req("S-4217-IMPL-1")
def test_an_implicit_listener_begins_with_tls(implicit: Running, root: Path, context: ssl.SSLContext) -> None:
    (root / "file").write_bytes(b"data")
    with connect_implicitly(implicit, context) as control:
        control.log_in()
        control.protects = True  # without a word
        assert control.fetch("RETR file") == b"data"
        assert control.codes("PBSZ 0", "PROT P") == [200, 200]
        assert control.fetch("RETR file") == b"data"
        assert control.ask("PROT C").code == 200
        control.protects = False
        assert control.fetch("RETR file") == b"data"
        assert control.ask("AUTH TLS").code == 503


@pytest.mark.req("S-4217-IMPL-1")
def test_an_implicit_listener_says_nothing_before_tls(implicit: Running) -> None:
    with socket.create_connection(implicit.server.addresses[-1], DEADLINE) as plain:
        plain.sendall(b"USER me\r\n")
        said = plain.recv(4096)
        assert not said or said[0] == 21


@pytest.mark.req("S-4217-IMPL-1", "S-4217-REIN-1")
def test_rein_leaves_implicit_tls_as_it_was(implicit: Running, context: ssl.SSLContext) -> None:
    with connect_implicitly(implicit, context) as control:
        control.log_in()
        assert control.codes("PBSZ 0", "PROT C", "REIN", "PWD") == [200, 200, 220, 530]
        control.log_in()
        control.protects = True
        assert control.fetch("NLST") == b""


@pytest.mark.req("S-4217-IMPL-1")
def test_the_other_listeners_are_in_clear_as_before(implicit: Running) -> None:
    with implicit.login() as control:
        assert control.fetch("NLST") == b""


@pytest.mark.req("S-DF-CONN-3")
def test_too_many_sessions_of_implicit_tls_are_closed(storage: LocalStorage, pair: Pair) -> None:
    with (
        protected(storage, pair, {"implicit": [("127.0.0.1", 0)]}, max_sessions=1) as running,
        running.connect(),
        socket.create_connection(running.server.addresses[-1], DEADLINE) as plain,
        pytest.raises((ssl.SSLError, OSError)),
    ):
        trusting(pair.certificate).wrap_socket(plain, server_hostname="localhost")


# Application protocols


@pytest.mark.req("S-4217-ALPN-1")
@pytest.mark.parametrize("offered", [["ftp"], ["x-filezilla-ftp", "ftp"], ["h2", "ftp"]])
def test_who_speaks_ftp_is_served(running: Running, context: ssl.SSLContext, offered: list[str]) -> None:
    context.set_alpn_protocols(offered)
    with connect(running, context) as control:
        control.auth()
        assert control.tls.selected_alpn_protocol() == "ftp"
        assert control.ask("NOOP").code == 200


@pytest.mark.req("S-4217-ALPN-1")
@pytest.mark.parametrize("offered", [["http/1.1"], ["h2", "http/1.1"], ["smtp"]])
@pytest.mark.parametrize("begin", [connect_implicitly, login], ids=["implicit", "explicit"])
def test_who_speaks_something_else_is_turned_away(
    implicit: Running, context: ssl.SSLContext, offered: list[str], begin: Callable[..., Secure]
) -> None:
    context.set_alpn_protocols(offered)
    with pytest.raises(ssl.SSLError, match="no application protocol"):
        begin(implicit, context)
    assert offered[0] in implicit.await_event(Noticed, lambda event: event.topic == Cause.TLS_FAILED).message


@pytest.mark.req("S-4217-ALPN-1")
@pytest.mark.parametrize("request_line", [b"GET / HTTP/1.1", b"POST /x HTTP/1.1", b"HEAD / HTTP/1.0"])
def test_a_web_browser_gets_no_further_than_its_first_line(
    implicit: Running, root: Path, context: ssl.SSLContext, request_line: bytes
) -> None:
    (root / "kept").touch()
    with connect_implicitly(implicit, context) as control:
        control.socket.sendall(request_line + b"\r\nHost: x\r\n\r\nUSER me\r\nPASS secret\r\nDELE kept\r\n")
        assert control.read().code == 421
        assert control.at_end()
    assert (root / "kept").exists()


# Telnet and urgent commands


@pytest.mark.req("S-4217-ABOR-6", "S-959-ABOR-1")
@pytest.mark.parametrize("abort", [b"ABOR\r\n", b"\xff\xf4\xff\xf2ABOR\r\n", b"\xff\xf4ABOR\r\n", b"\xff\xf2ABOR\r\n"])
def test_abort_comes_inside_tls(running: Running, root: Path, context: ssl.SSLContext, abort: bytes) -> None:
    with (root / "big").open("wb") as file:
        file.truncate(1 << 30)
    with login(running, context) as control:
        with control.transfer("RETR big") as data:
            assert data.recv(1000)
            control.socket.sendall(abort)
            assert control.read_codes(2) == [426, 226]
            with pytest.raises((ssl.SSLError, ConnectionResetError)):  # what was cut does not look whole
                receive_all(data)
        (root / "small").write_bytes(b"x")
        assert control.fetch("RETR small") == b"x"


@pytest.mark.req("S-4217-ABOR-6", "S-959-STAT-3", "S-DF-MISC-2")
def test_state_and_noop_are_answered_during_a_transfer(running: Running, root: Path, context: ssl.SSLContext) -> None:
    (root / "big").write_bytes(bytes(16 << 20))
    with login(running, context) as control:
        with control.transfer("RETR big") as data:
            assert data.recv(1000)
            assert "RETR of /big" in control.ask(b"\xff\xf4\xff\xf2STAT").text
            assert control.ask("NOOP").code == 200
            while data.recv(1 << 20):
                pass
        assert control.read().code == 226


@pytest.mark.req("S-1123-TEL-1")
def test_telnet_is_answered_inside_tls(running: Running, context: ssl.SSLContext) -> None:
    with login(running, context) as control:
        control.socket.sendall(b"\xff\xfd\x06NOOP\r\n")
        assert control.read() == Reply(200, "NOOP ok.")
        assert b"\xff\xfc\x06" in control.raw


def test_tickets_come_with_the_first_reply_and_the_end_of_tls_with_the_last(running: Running, pair: Pair) -> None:
    """As few segments as can be: what the client waits for is in the first one that comes."""
    with connect(running, trusting(pair.certificate)) as control:
        assert control.ask("AUTH TLS").code == 234
        tls, connection = Tls(control.context, server_name="localhost"), control.socket
        tls.handshake()
        connection.sendall(tls.take())
        while not tls.handshake(connection.recv(65536)):
            connection.sendall(tls.take())
        connection.sendall(tls.take())

        connection.sendall(tls.send(b"NOOP\r\n"))
        assert tls.receive(connection.recv(65536)) == b"200 NOOP ok.\r\n"
        assert tls.session is not None
        assert tls.session.has_ticket

        connection.sendall(tls.send(b"QUIT\r\n"))
        assert tls.receive(connection.recv(65536)).startswith(b"221")
        assert tls.ended
