"""CCC: the control connection leaves TLS after the login, data connections do not."""

from __future__ import annotations

import io
import ssl
from pathlib import Path

import pytest

from fairlead.client.trace import TlsBegan, TlsEnded
from fairlead.errors import ArgumentError, DeadlineError, PermanentError, SessionLost
from tests.certificates import Pair, make
from tests.client.script import HOST, LOGIN, NO_FEATURES, Stage, Step, data, door, hang_up, on, stage
from tests.client.secure import begin_tls, end_tls, protect, resumed, server_context

PRIVATE = (on("PBSZ 0", "200 ok"), on("PROT P", "200 ok"))
pytestmark = pytest.mark.req("C-4217-CCC-1")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make(tmp_path_factory.mktemp("certificates"), "server", HOST)


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def context(request: pytest.FixtureRequest, pair: Pair) -> ssl.SSLContext:
    return server_context(pair, request.param)


def clearing(context: ssl.SSLContext, certificate: Path, *steps: Step) -> Stage:
    before = (on("AUTH TLS", "234 go on", begin_tls(context)), *LOGIN, *PRIVATE, *NO_FEATURES)
    return stage(*before, *steps, tls="require", ca=certificate, clear_control=True)


@pytest.mark.parametrize("waits", [False, True], ids=["server first", "client first"])
def test_commands_go_in_clear_and_data_stays_protected(context: ssl.SSLContext, pair: Pair, waits: bool) -> None:
    on_stage = clearing(
        context,
        pair.certificate,
        on("CCC", "200 ok", end_tls(waits=waits)),
        on("PWD", '257 "/"'),
        on("TYPE I", "200 ok"),
        on("SIZE f", "213 6"),
        on("EPSV", door(5001, protect(context)), "229 ok (|||5001|)"),
        on("RETR f", "150 go", data(b"octets"), "226 done"),
    )
    target = io.BytesIO()
    with on_stage.ftp as ftp:
        on_stage.play.raw.clear()
        assert ftp.pwd() == "/"
        assert on_stage.play.raw == b"PWD\r\n"
        result = ftp.download("f", target)
        assert resumed(on_stage.play)
    on_stage.play.done()
    assert (target.getvalue(), result.tls_resumed) == (b"octets", True)
    records = [record for record in on_stage.records if isinstance(record, TlsBegan | TlsEnded)]
    assert [type(record) for record in records] == [TlsBegan, TlsEnded, TlsBegan]
    assert str(records[1]).endswith("data stays protected")


def test_refused_ccc_is_told_and_nothing_goes_in_clear(context: ssl.SSLContext, pair: Pair) -> None:
    on_stage = clearing(context, pair.certificate, on("CCC", "534 not here"))
    with pytest.raises(PermanentError, match="534"), on_stage.ftp:
        pass
    assert not on_stage.ftp.connected


def test_server_that_goes_on_under_tls_is_given_up(context: ssl.SSLContext, pair: Pair) -> None:
    on_stage = clearing(context, pair.certificate, on("CCC", "200 ok"))
    with pytest.raises(DeadlineError, match="did not end TLS"), on_stage.ftp:
        pass


def test_connection_that_ends_instead_of_tls_is_a_lost_session(context: ssl.SSLContext, pair: Pair) -> None:
    def cut(play: object) -> None:
        play.control.beneath.close()  # type: ignore[attr-defined]

    on_stage = clearing(context, pair.certificate, on("CCC", "200 ok", cut))
    with pytest.raises(SessionLost, match="after CCC"), on_stage.ftp:
        pass


def test_session_without_tls_has_nothing_to_clear() -> None:
    on_stage = stage(*LOGIN, *NO_FEATURES, clear_control=True)
    with on_stage.ftp:
        pass
    assert "CCC" not in on_stage.play.heard


def test_protection_is_not_changed_by_hand(context: ssl.SSLContext, pair: Pair) -> None:
    on_stage = clearing(context, pair.certificate, on("CCC", "200 ok", end_tls()), on("PWD", "421 bye", hang_up))
    with on_stage.ftp as ftp:
        for verb in ("AUTH", "REIN", "PROT"):
            with pytest.raises(ArgumentError):
                ftp.command(verb)
        with pytest.raises(SessionLost):
            ftp.pwd()
