"""Whether data connections resume the TLS session of their control connection, and what is made of it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead import openssl
from fairlead.events import Noticed, TransferFailed
from fairlead.reach.cause import Cause
from fairlead.server import certificates
from fairlead.storage.local import LocalStorage
from tests.certificates import Pair
from tests.server.secure import Secure, connect_implicitly, login, protected, receive_all, trusting
from tests.server.session import Running

ASKED = pytest.mark.parametrize("demanding", ["shared context"], indirect=True)
"""Where OpenSSL does what ssl has no name for."""
MODES = ["EPSV", "PASV", "EPRT", "PORT"]


@pytest.fixture(params=["shared context", "own context"])
def demanding(
    request: pytest.FixtureRequest, storage: LocalStorage, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Running]:
    """Where data connections must resume; sessions are told apart by OpenSSL, or by a context for each."""
    if request.param == "own context":
        monkeypatch.setattr(openssl, "_functions", lambda: None)
    with protected(storage, pair, {"resumption": "require", "implicit": [("127.0.0.1", 0)]}) as server:
        yield server


def refused(control: Secure, command: str = "LIST", session: ssl.SSLSession | None = None) -> str:
    """The reply to a transfer that is refused for the session it resumes, or resumes none."""
    with control.passive() as data:
        assert control.ask(command).code == 150
        try:
            with control.context.wrap_socket(data, server_hostname="localhost", session=session) as protected_data:
                assert protected_data.recv(1) == b""
        except (ssl.SSLError, ConnectionResetError):
            pass
    reply = control.read()
    assert reply.code == 522
    return reply.text


@pytest.mark.req("S-4217-DATA-4")
@pytest.mark.parametrize("mode", MODES)
def test_who_resumes_is_served(demanding: Running, context: ssl.SSLContext, mode: str) -> None:
    with login(demanding, context) as control:
        for number in range(3):
            assert control.store(f"STOR {number}", b"data", mode).code == 226
            assert control.fetch(f"RETR {number}", mode) == b"data"


@pytest.mark.req("S-4217-DATA-4")
def test_who_does_not_resume_is_refused_and_told_why(demanding: Running, context: ssl.SSLContext, root: Path) -> None:
    (root / "file").write_bytes(b"data")
    with login(demanding, context) as control:
        for command in ("RETR file", "LIST", "STOR new"):
            assert "must resume the TLS session" in refused(control, command)
        assert not (root / "new").exists()
        failed = demanding.await_event(TransferFailed)
        assert (failed.cause, failed.code) == (Cause.DATA_TLS_NOT_RESUMED, 522)
        assert control.fetch("RETR file") == b"data"


@pytest.mark.req("S-4217-DATA-4")
def test_the_session_of_another_control_connection_is_none(demanding: Running, context: ssl.SSLContext) -> None:
    """Who took over somebody's passive port cannot come with a ticket of his own."""
    with login(demanding, context) as control, login(demanding, context) as other:
        assert control.fetch("NLST") == b""
        assert other.fetch("NLST") == b""
        refused(control, session=other.tls.session)
        refused(other, session=control.tls.session)
        assert control.fetch("NLST") == b""


@pytest.mark.req("S-4217-DATA-4")
def test_sessions_on_both_sides_of_a_renewal_go_on(
    storage: LocalStorage, pair: Pair, context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that is older stays with its keys; neither resumes what the other began."""
    with protected(storage, pair, {"resumption": "require"}) as running:
        monkeypatch.setattr(certificates, "RENEWAL", 0.0)
        with login(running, context) as control, login(running, context) as other:
            for _ in range(2):
                assert control.fetch("NLST") == b""
                assert other.fetch("NLST") == b""
            refused(control, session=other.tls.session)
            refused(other, session=control.tls.session)


@pytest.mark.req("S-4217-DATA-4")
def test_the_session_of_an_earlier_data_connection_will_do(demanding: Running, context: ssl.SSLContext) -> None:
    with login(demanding, context) as control:
        session = control.tls.session
        for _ in range(5):
            with control.passive() as data:
                assert control.ask("NLST").code == 150
                with context.wrap_socket(data, server_hostname="localhost", session=session) as connection:
                    assert connection.session_reused
                    assert receive_all(connection) == b""
                    session = connection.session
            assert control.read().code == 226


@pytest.mark.req("S-4217-DATA-4")
def test_a_session_before_rein_is_none_after_it(demanding: Running, context: ssl.SSLContext) -> None:
    with login(demanding, context) as control:
        old = control.tls.session
        assert control.ask("REIN").code == 220
        control.end_tls()
        control.auth()
        control.log_in()
        control.protect()
        refused(control, session=old)
        assert control.fetch("NLST") == b""


@pytest.mark.req("S-4217-DATA-4", "S-4217-CCC-1")
def test_after_ccc_the_session_still_serves(demanding: Running, context: ssl.SSLContext) -> None:
    with login(demanding, context) as control:
        session = control.tls.session
        assert control.ask("CCC").code == 200
        control.end_tls()
        refused(control)
        with control.passive() as data:
            assert control.ask("NLST").code == 150
            with context.wrap_socket(data, server_hostname="localhost", session=session) as connection:
                assert receive_all(connection) == b""
        assert control.read().code == 226


@pytest.mark.req("S-4217-DATA-4", "S-4217-IMPL-1")
def test_under_implicit_tls_the_same_holds(demanding: Running, context: ssl.SSLContext) -> None:
    with connect_implicitly(demanding, context) as control:
        control.log_in()
        control.protects = True
        assert control.fetch("NLST") == b""
        refused(control)


@pytest.mark.req("S-4217-DATA-4")
def test_data_in_clear_need_no_session(demanding: Running, context: ssl.SSLContext) -> None:
    with login(demanding, context, protect=False) as control:
        assert control.fetch("NLST") == b""


@pytest.mark.req("S-4217-DATA-4")
def test_where_it_is_only_noted_the_log_has_it_once_for_each_session(
    storage: LocalStorage, pair: Pair, context: ssl.SSLContext
) -> None:
    with protected(storage, pair, {"resumption": "warn"}) as running:
        with login(running, context) as control:
            assert control.fetch("NLST") == b""
            assert not noted(running)
            control.resumes = False
            for _ in range(3):
                assert control.fetch("NLST") == b""
            (notice,) = noted(running)
            assert "the client of me" in notice.message
            assert f"TLSv{'1.2' if context.maximum_version == ssl.TLSVersion.TLSv1_2 else '1.3'}" in notice.message
            assert 'resumption = "require"' in notice.message
        with login(running, context) as control:
            control.resumes = False
            assert control.store("STOR file", b"data").code == 226
            assert len(noted(running)) == 2


def noted(running: Running) -> list[Noticed]:
    return [
        event for event in running.recorded if isinstance(event, Noticed) and event.topic == Cause.DATA_TLS_NOT_RESUMED
    ]


@pytest.mark.req("S-4217-DATA-4")
def test_where_it_is_off_nothing_is_said(storage: LocalStorage, pair: Pair, context: ssl.SSLContext) -> None:
    with protected(storage, pair, {"resumption": "off"}) as running, login(running, context) as control:
        control.resumes = False
        assert control.fetch("NLST") == b""
        assert not noted(running)


@ASKED
@pytest.mark.req("S-4217-DATA-4")
@pytest.mark.parametrize("command", ["STOR file", "NLST"])
def test_a_client_that_uses_each_ticket_once_gets_a_new_one_each_time(
    demanding: Running, pair: Pair, command: str
) -> None:
    """As clients of TLS 1.3 should use them (RFC 8446 section C.4); it comes with the reply to the transfer."""
    with login(demanding, trusting(pair.certificate)) as control:
        used: set[bytes] = set()
        for _ in range(20):
            session = control.tls.session
            assert session is not None
            assert session.id not in used
            used.add(session.id)
            if command == "NLST":
                control.fetch(command)
            else:
                assert control.store(command, b"data").code == 226


@ASKED
@pytest.mark.req("S-4217-DATA-4")
def test_no_ticket_comes_over_a_data_connection(demanding: Running, pair: Pair) -> None:
    """Whoever does not read there leaves nothing unread."""
    with login(demanding, trusting(pair.certificate)) as control:
        session = control.tls.session
        assert session is not None
        with control.transfer("NLST") as data:
            assert receive_all(data) == b""
            assert data.session is not None
            assert data.session.id == session.id
        assert control.read().code == 226


@ASKED
@pytest.mark.req("S-4217-DATA-4")
def test_sessions_can_be_resumed_for_a_week(demanding: Running, context: ssl.SSLContext) -> None:
    with login(demanding, context) as control:
        assert control.tls.session is not None
        assert control.tls.session.ticket_lifetime_hint == 7 * 86400


@ASKED
def test_the_cipher_that_takes_the_least_time_comes_first(demanding: Running, pair: Pair) -> None:
    with login(demanding, trusting(pair.certificate)) as control, control.transfer("NLST") as data:
        assert control.tls.cipher() == data.cipher() == ("TLS_AES_128_GCM_SHA256", "TLSv1.3", 128)
        assert receive_all(data) == b""


@pytest.mark.req("S-4217-DATA-4")
def test_where_openssl_cannot_be_asked_downloads_bring_tickets_and_sessions_last_two_hours(
    storage: LocalStorage, pair: Pair, context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openssl, "_functions", lambda: None)
    with protected(storage, pair, {"resumption": "require"}) as running, login(running, context) as control:
        assert control.tls.session is not None
        assert control.tls.session.ticket_lifetime_hint == 7200
        before = control.tls.session.id
        for _ in range(3):
            assert control.store("STOR file", b"data").code == 226
            with control.transfer("NLST") as data:
                assert receive_all(data) == b"file\r\n"
                assert data.session is not None
                renewed = data.session.id != before
                assert renewed == (context.maximum_version == ssl.TLSVersion.TLSv1_3)
            assert control.read().code == 226
