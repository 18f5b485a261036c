"""TLS in the client: when it begins, whom it trusts, and what becomes of the data connections."""

from __future__ import annotations

import hashlib
import io
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fairlead.client._face import likewise
from fairlead.client.trace import TlsBegan
from fairlead.errors import (
    ArgumentError,
    CertificateError,
    ConfigError,
    ConnectError,
    DataConnectionError,
    DeadlineError,
    PermanentError,
    SessionLost,
    TlsError,
    TransferError,
)
from tests.certificates import Pair, make
from tests.client.script import (
    HOST,
    LOGIN,
    NO_FEATURES,
    Action,
    Stage,
    Step,
    call,
    data,
    door,
    hang_up,
    on,
    silent,
    stage,
    take,
)
from tests.client.secure import TlsEnd, begin_tls, protect, resumed, server_context, slowly

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
OFFER = on("FEAT", "211-Features:\r\n AUTH TLS\r\n SIZE\r\n211 End")
PRIVATE = (on("PBSZ 0", "200 ok"), on("PROT P", "200 ok"))
TYPE_I = on("TYPE I", "200 ok")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make(tmp_path_factory.mktemp("certificates"), "server", HOST, "ftp.example")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make(tmp_path_factory.mktemp("certificates"), "other", HOST)


@pytest.fixture(params=VERSIONS, ids=["1.2", "1.3"])
def context(request: pytest.FixtureRequest, pair: Pair) -> ssl.SSLContext:
    return server_context(pair, request.param)


def upgrade(context: ssl.SSLContext) -> Step:
    return on("AUTH TLS", "234 go on", begin_tls(context))


def logged_in(context: ssl.SSLContext, *steps: Step) -> Sequence[Step]:
    return (OFFER, upgrade(context), *LOGIN, *PRIVATE, *NO_FEATURES, *steps)


def run(on_stage: Stage) -> list[str]:
    """Connect, log in and say good-bye; the commands that the server heard."""
    with on_stage.ftp:
        pass
    on_stage.play.done()
    return on_stage.play.heard


def passive(context: ssl.SSLContext, **options: Any) -> Step:
    return on("EPSV", door(5001, protect(context, **options)), "229 ok (|||5001|)")


def sha256(pair: Pair) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())).hexdigest()


@pytest.mark.req("C-4217-TLS-1", "C-4217-TLS-2")
@pytest.mark.parametrize("tls", ["auto", "require"])
def test_tls_begins_before_the_login_and_features_are_read_again(context: ssl.SSLContext, pair: Pair, tls: str) -> None:
    again = on("FEAT", "211-Features:\r\n MDTM\r\n211 End")
    offer = () if tls == "require" else (OFFER,)
    on_stage = stage(*offer, upgrade(context), *LOGIN, *PRIVATE, again, tls=tls, ca=pair.certificate)
    heard = run(on_stage)
    first = [] if tls == "require" else ["FEAT"]
    assert heard == [*first, "AUTH TLS", "USER me", "PASS secret", "PBSZ 0", "PROT P", "FEAT", "QUIT"]
    assert on_stage.ftp.features == {"MDTM": ""}
    records = [record for record in on_stage.records if isinstance(record, TlsBegan)]
    assert [record.connection for record in records] == ["control"]
    assert str(records[0]).endswith(f"certificate SHA-256 {sha256(pair)}")


@pytest.mark.req("U-DF-9")
def test_implicit_tls_begins_before_the_greeting(context: ssl.SSLContext, pair: Pair) -> None:
    on_stage = stage(
        *LOGIN, *PRIVATE, *NO_FEATURES, greeting=(begin_tls(context), "220 ready"), url=f"ftps://me:secret@{HOST}",
        tls="auto", ca=pair.certificate,
    )  # fmt: skip
    on_stage.wire.doors[HOST, 990] = on_stage.wire.doors.pop((HOST, 21))
    assert run(on_stage) == ["USER me", "PASS secret", "PBSZ 0", "PROT P", "FEAT", "QUIT"]


@pytest.mark.req("C-4217-TLS-2")
@pytest.mark.parametrize("injected", [b"230 you are in\r\n", b"230-you are in\r\n 230", b"331"])
def test_what_came_in_clear_behind_234_is_nobodys_word(context: ssl.SSLContext, pair: Pair, injected: bytes) -> None:
    step = on("AUTH TLS", b"234 go on\r\n" + injected, begin_tls(context))
    on_stage = stage(OFFER, step, *LOGIN, *PRIVATE, *NO_FEATURES, tls="auto", ca=pair.certificate)
    assert "PASS secret" in run(on_stage)
    assert "you are in" not in "\n".join(on_stage.lines)


@pytest.mark.req("C-4217-TLS-1")
@pytest.mark.parametrize("reply", ["502 what?", "504 not that", "534 policy", "530 log in first", "431 not now"])
def test_refusal_is_final_where_tls_is_required(reply: str) -> None:
    on_stage = stage(on("AUTH TLS", reply), tls="require")
    with pytest.raises(ConnectError, match=reply):
        on_stage.ftp.connect()
    assert on_stage.play.heard == ["AUTH TLS"]
    assert not on_stage.ftp.connected


@pytest.mark.req("C-4217-TLS-1")
@pytest.mark.parametrize("reply", ["530 log in first", "534 policy", "431 not now"])
def test_no_fall_back_where_tls_was_offered(reply: str) -> None:
    on_stage = stage(OFFER, on("AUTH TLS", reply), tls="auto")
    with pytest.raises(ConnectError, match="nothing goes in clear"):
        run(on_stage)
    assert on_stage.play.heard == ["FEAT", "AUTH TLS"]


def test_temporary_refusal_means_that_there_is_tls() -> None:
    with pytest.raises(ConnectError, match="431 not now"):
        run(stage(*NO_FEATURES, on("AUTH TLS", "431 not now"), tls="auto"))


@pytest.mark.parametrize(
    "asked",
    [
        (on("FEAT", "211-Features:\r\n SIZE\r\n211 End"),),
        (*NO_FEATURES, on("AUTH TLS", "500 what?")),
        (OFFER, on("AUTH TLS", "500 This security scheme is not implemented")),  # Pure-FTPd without a certificate
        (on("FEAT", "530 log in first"), on("AUTH TLS", "530 log in first")),
    ],
)
def test_in_clear_where_nothing_was_offered_and_the_trace_tells(asked: tuple[Step, ...]) -> None:
    on_stage = stage(*asked, *LOGIN, *NO_FEATURES, tls="auto")
    run(on_stage)
    assert "STATUS  the server offers no TLS: everything goes in clear" in on_stage.lines


@pytest.mark.req("C-4217-TLS-3")
@pytest.mark.parametrize("settings", [{}, {"ca": "other"}, {"pin": "0" * 64}, {"url": "ftp://me:secret@ftp.test"}])
def test_certificate_that_is_not_the_servers_ends_it_all(
    pair: Pair, other: Pair, context: ssl.SSLContext, settings: dict[str, Any]
) -> None:
    chosen: dict[str, Any] = {"ca": pair.certificate} if "url" in settings else {}
    chosen |= {name: other.certificate if name == "ca" else value for name, value in settings.items()}
    on_stage = stage(OFFER, upgrade(context), tls="auto", names={"ftp.test": [HOST]}, **chosen)
    with pytest.raises(CertificateError, match=r"pin|operator"):
        run(on_stage)
    assert on_stage.play.heard == ["FEAT", "AUTH TLS"]
    with pytest.raises(SessionLost):
        on_stage.ftp.login()


@pytest.mark.req("C-4217-TLS-3")
def test_certificate_is_that_of_the_name_that_was_asked_for(pair: Pair, context: ssl.SSLContext) -> None:
    asked: list[str | None] = []
    context.sni_callback = lambda _tls, name, _context: asked.append(name)
    names = {"ftp.example": [HOST], "ftp.example.": [HOST]}
    for url in ("ftp://me:secret@ftp.example", "ftp://me:secret@ftp.example."):
        run(stage(*logged_in(context), tls="auto", ca=pair.certificate, names=names, url=url))
    assert asked == ["ftp.example", "ftp.example"]


@pytest.mark.parametrize("chosen", ["pin", "pin and ca", "insecure"])
def test_certificate_that_nobody_vouches_for_serves_only_when_told(
    pair: Pair, context: ssl.SSLContext, chosen: str
) -> None:
    settings: dict[str, dict[str, Any]] = {
        "pin": {"pin": sha256(pair).upper()},
        "pin and ca": {"pin": sha256(pair), "ca": pair.certificate},
        "insecure": {"insecure": True},
    }
    assert "PROT P" in run(stage(*logged_in(context), tls="auto", **settings[chosen]))


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_file_of_authorities_that_has_none(tmp_path: Path, pair: Pair, content: str | None) -> None:
    ca = tmp_path / "ca.pem"
    if content is not None:
        ca.write_text(content)
    context = server_context(pair, VERSIONS[1])
    with pytest.raises(ConfigError, match=r"ca\.pem"):
        run(stage(OFFER, upgrade(context), tls="auto", ca=ca))


@pytest.mark.req("C-4217-TLS-1")
def test_data_that_cannot_be_protected_do_not_go_in_clear(pair: Pair, context: ssl.SSLContext) -> None:
    steps = (OFFER, upgrade(context), *LOGIN, on("PBSZ 0", "200 ok"), on("PROT P", "536 no"))
    on_stage = stage(*steps, tls="auto", ca=pair.certificate)
    with pytest.raises(TlsError, match="536 no"):
        run(on_stage)


@pytest.mark.req("C-4217-TLS-4", "C-4217-TLS-5")
@pytest.mark.parametrize("mode", ["epsv", "pasv", "eprt", "port"])
def test_each_data_connection_resumes_the_session(pair: Pair, context: ssl.SSLContext, mode: str) -> None:
    seen: list[bool] = []
    ways = {
        "epsv": on("EPSV", door(5001, protect(context)), "229 ok (|||5001|)"),
        "pasv": on("PASV", door(5001, protect(context)), "227 ok (192,0,2,90,19,137)"),
    }
    answers: tuple[Action, ...] = () if mode in ways else (call(), protect(context))
    steps: list[Step] = [TYPE_I]
    for turn in range(3):
        port = 34121 + turn
        active = {"eprt": f"EPRT |1|192.0.2.80|{port}|", "port": f"PORT 192,0,2,80,{port >> 8},{port & 255}"}
        steps += [on(f"SIZE {turn}", "213 6")]
        steps += [ways.get(mode) or on(active[mode], "200 ok")]
        steps += [on(f"RETR {turn}", "150 go", *answers, data(b"octets"), "226 done")]
    on_stage = stage(*logged_in(context, *steps), tls="auto", ca=pair.certificate, mode=mode)
    with on_stage.ftp as ftp:
        for turn in range(3):
            target = io.BytesIO()
            assert ftp.download(str(turn), target).tls_resumed is True
            assert target.getvalue() == b"octets"
            seen.append(resumed(on_stage.play))
    assert seen == [True] * 3
    told = [line for line in on_stage.lines if "TLS on the data connection" in line]
    assert len(told) == 3
    assert all(line.endswith("session resumed") for line in told)


def test_sessions_beside_one_that_is_protected_are_never_in_clear(pair: Pair, context: ssl.SSLContext) -> None:
    on_stage = stage(*logged_in(context), tls="auto", ca=pair.certificate)
    assert likewise(on_stage.ftp)["tls"] == "auto"
    with on_stage.ftp as ftp:
        assert likewise(ftp)["tls"] == "require"


@pytest.mark.req("C-4217-TLS-4")
def test_transfer_tells_that_no_session_was_resumed(pair: Pair, context: ssl.SSLContext) -> None:
    stranger = server_context(pair, context.minimum_version)
    steps = (TYPE_I, on("SIZE f", "213 6"), passive(stranger), on("RETR f", "150 go", data(b"octets"), "226 done"))
    on_stage = stage(*logged_in(context, *steps), tls="auto", ca=pair.certificate)
    with on_stage.ftp as ftp:
        assert ftp.download("f", io.BytesIO()).tls_resumed is False
    assert any(line.endswith("session not resumed") for line in on_stage.lines)


@pytest.mark.req("C-4217-TLS-3")
def test_another_certificate_on_the_data_connection(other: Pair, context: ssl.SSLContext) -> None:
    stranger = server_context(other, context.minimum_version)
    steps = (TYPE_I, on("SIZE f", "213 6"), passive(stranger), on("RETR f", "150 go", data(b"octets")))
    on_stage = stage(*logged_in(context, *steps), tls="auto", insecure=True)
    with on_stage.ftp as ftp, pytest.raises(CertificateError, match="another certificate"):
        ftp.download("f", io.BytesIO())


@pytest.mark.req("C-4217-TLS-6")
@pytest.mark.parametrize("size", [0, 6, 1_000_001])
def test_upload_ends_with_close_notify(pair: Pair, context: ssl.SSLContext, size: int) -> None:
    octets = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    steps = (TYPE_I, passive(context), on("STOR f", "150 go", take("226 done")))
    on_stage = stage(*logged_in(context, *steps), tls="auto", ca=pair.certificate)
    with on_stage.ftp as ftp:
        assert ftp.upload(io.BytesIO(octets), "f").tls_resumed is True
    assert on_stage.play.stored == octets
    assert isinstance(on_stage.play.data, TlsEnd)
    assert on_stage.play.data.tls.ended


@pytest.mark.req("C-4217-TLS-6")
@pytest.mark.parametrize(("told", "whole"), [("213 6", True), ("213 7", False), ("500 what?", False)])
def test_download_without_close_notify_is_whole_only_by_its_size(
    pair: Pair, context: ssl.SSLContext, told: str, whole: bool
) -> None:
    steps = (
        TYPE_I,
        on("SIZE f", told),
        passive(context, close_notify=False),
        on("RETR f", "150 go", data(b"octets"), "226 done"),
    )
    on_stage = stage(*logged_in(context, *steps), tls="auto", ca=pair.certificate)
    target = io.BytesIO()
    with on_stage.ftp as ftp:
        if whole:
            assert ftp.download("f", target).size == 6
        else:
            with pytest.raises(TransferError, match="close_notify"):
                ftp.download("f", target)
    assert target.getvalue() == b"octets"


@pytest.mark.req("C-4217-TLS-6")
def test_listing_without_close_notify(pair: Pair, context: ssl.SSLContext) -> None:
    steps = (passive(context, close_notify=False), on("LIST", "150 go", data(b"\r\n"), "226 done"))
    on_stage = stage(*logged_in(context, *steps), tls="auto", ca=pair.certificate)
    with on_stage.ftp as ftp, pytest.raises(TransferError, match="close_notify"):
        ftp.scandir()


@pytest.mark.req("C-4217-TLS-4")
@pytest.mark.parametrize(
    ("reply", "advice"),
    [("522 session reuse required", "control connection"), ("534 no", "policy"), ("521 no", "under TLS")],
)
def test_refusal_after_the_handshake_is_told_with_what_it_means(
    pair: Pair, context: ssl.SSLContext, reply: str, advice: str
) -> None:
    steps = (passive(context), on("LIST", "150 go", data(b""), reply))
    on_stage = stage(*logged_in(context, *steps), tls="auto", ca=pair.certificate)
    with on_stage.ftp as ftp, pytest.raises(TransferError, match=f"{reply}.*{advice}"):
        ftp.scandir()


@pytest.mark.req("C-4217-TLS-1")
def test_second_session_that_is_offered_no_tls_gets_no_password(pair: Pair, context: ssl.SSLContext) -> None:
    steps = (
        on("EPSV", silent(5001), "229 ok (|||5001|)"),
        on("PASV", "500 what?"),
        on("AUTH TLS", "502 no such thing"),
        on("EPSV", door(5002, protect(context)), "229 ok (|||5002|)"),
        on("LIST", "150 go", data(b""), "226 done"),
    )
    on_stage = stage(*logged_in(context, *steps), tls="auto", ca=pair.certificate)
    with on_stage.ftp as ftp:
        assert ftp.scandir() == []
    on_stage.play.done()
    assert on_stage.play.heard.count("USER me") == 1
    assert "a second session tries EPRT: the server refuses TLS" in "\n".join(on_stage.lines)


def test_second_session_is_as_protected_as_the_first(pair: Pair, context: ssl.SSLContext) -> None:
    steps = (
        on("EPSV", silent(5001), "229 ok (|||5001|)"),
        on("PASV", "500 what?"),
        upgrade(context),
        *LOGIN,
        *PRIVATE,
        on("EPRT |1|192.0.2.80|34123|", "501 not to there"),
        upgrade(context),
        *LOGIN,
        *PRIVATE,
        on("PORT 192,0,2,80,133,77", "200 ok"),
        on("LIST", "150 calling", call()),
        on("EPSV", silent(5002), "229 ok (|||5002|)"),
        on("PORT 192,0,2,80,133,79", "200 ok"),
        on("LIST", "150 calling", call(protect(context), data(b"")), "226 done"),
    )
    on_stage = stage(*logged_in(context, *steps), tls="auto", ca=pair.certificate)
    with on_stage.ftp as ftp:
        assert ftp.scandir() == []
    on_stage.play.done()


@pytest.mark.req("C-4217-TLS-4")
def test_refusal_before_the_handshake(pair: Pair, context: ssl.SSLContext) -> None:
    steps = (on("EPSV", door(5001), "229 ok (|||5001|)"), on("LIST", "522 protect it"))
    on_stage = stage(*logged_in(context, *steps), tls="auto", ca=pair.certificate)
    with on_stage.ftp as ftp, pytest.raises(PermanentError, match="522 protect it"):
        ftp.scandir()


def test_refused_handshake_and_the_servers_word_about_it(pair: Pair, context: ssl.SSLContext) -> None:
    steps = (
        on("EPSV", door(5001), "229 ok (|||5001|)"),
        on("LIST", "150 go", data(b""), "425 no session, no data"),
    )
    on_stage = stage(*logged_in(context, *steps), tls="auto", ca=pair.certificate, mode="epsv")
    with on_stage.ftp as ftp, pytest.raises(DataConnectionError, match="425 no session, no data"):
        ftp.scandir()


def test_data_connection_that_speaks_no_tls(pair: Pair, context: ssl.SSLContext) -> None:
    steps = (on("EPSV", door(5001), "229 ok (|||5001|)"), on("LIST", "150 go", data(b"-rw-r--r-- in clear\r\n")))
    on_stage = stage(*logged_in(context, *steps), tls="auto", ca=pair.certificate, mode="epsv")
    with on_stage.ftp as ftp, pytest.raises(DataConnectionError, match="TLS failed on the data connection"):
        ftp.scandir()


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", TlsError, "not TLS"),
        (hang_up, TlsError, "during the TLS handshake"),
        (b"", DeadlineError, "handshake within"),
    ],
)
def test_handshake_that_does_not_come_about(answer: Action, error: type[Exception], said: str) -> None:
    on_stage = stage(OFFER, on("AUTH TLS", "234 go on"), tls="auto")
    play = on_stage.play

    def deaf(play: Any) -> None:
        play.control.watch = None
        play.wire.after(1, lambda: play.do([answer]))

    play._steps[-1] = on("AUTH TLS", "234 go on", deaf)
    with pytest.raises(error, match=said):
        on_stage.ftp.connect()
    assert not on_stage.ftp.connected


@pytest.mark.req("C-959-ABOR-1")
def test_abor_goes_inside_tls(pair: Pair, context: ssl.SSLContext) -> None:
    def stop(_done: int, _total: int | None) -> None:
        raise InterruptedError

    steps = (
        TYPE_I,
        on("SIZE f", "213 9"),
        passive(context),
        on("RETR f", "150 go", data(b"octets", end=False)),
        on("ABOR", "426 cut", "226 aborted"),
        on("NOOP", "200 ok"),
        on("PWD", '257 "/"'),
    )
    on_stage = stage(*logged_in(context, *steps), tls="auto", ca=pair.certificate)
    with on_stage.ftp as ftp:
        with pytest.raises(InterruptedError):
            ftp.download("f", io.BytesIO(), on_progress=stop)
        assert ftp.pwd() == "/"
    assert b"\xff\xf4\xff\xf2ABOR\r\n" in on_stage.play.raw
    assert isinstance(on_stage.play.control, TlsEnd)
    assert on_stage.play.control.urgent == b""


@pytest.mark.parametrize("line", ["AUTH TLS", "ccc", "PROT C", "REIN"])
def test_tls_is_neither_begun_nor_ended_by_hand(pair: Pair, context: ssl.SSLContext, line: str) -> None:
    with stage(*logged_in(context), tls="auto", ca=pair.certificate).ftp as ftp:
        with pytest.raises(ArgumentError, match="begin or end TLS"):
            ftp.command(*line.split())
        assert ftp.connected


@pytest.mark.req("C-4217-TLS-6")
def test_upload_to_a_slow_server_is_whole_and_ends_with_close_notify(pair: Pair, context: ssl.SSLContext) -> None:
    octets = bytes(range(256)) * 400
    entrance = on("EPSV", door(5001, protect(context), slowly(5000)), "229 ok (|||5001|)")
    steps = (TYPE_I, entrance, on("STOR f", "150 go", take("226 done")))
    on_stage = stage(*logged_in(context, *steps), tls="auto", ca=pair.certificate)
    with on_stage.ftp as ftp:
        assert ftp.upload(io.BytesIO(octets), "f").seconds > 1
    assert on_stage.play.stored == octets
    assert isinstance(on_stage.play.data, TlsEnd)
    assert on_stage.play.data.tls.ended


def test_handshake_of_a_data_connection_that_never_ends(pair: Pair, context: ssl.SSLContext) -> None:
    steps = (on("EPSV", door(5001), "229 ok (|||5001|)"), on("LIST", "150 go"))
    on_stage = stage(*logged_in(context, *steps), tls="auto", ca=pair.certificate, mode="epsv", reply_timeout=7)
    with on_stage.ftp as ftp, pytest.raises(DataConnectionError, match=r"the handshake within 7\.0 s"):
        ftp.scandir()


def test_data_connection_that_breaks_under_tls(pair: Pair, context: ssl.SSLContext) -> None:
    def damage(play: Any) -> None:
        play.data.beneath.send(memoryview(b"\x17\x03\x03\x00\x20" + bytes(32)))

    steps = (TYPE_I, on("SIZE f", "213 9"), passive(context), on("RETR f", "150 go", data(b"octets", end=False)))
    on_stage = stage(*logged_in(context, *steps), tls="auto", ca=pair.certificate)

    def harm(done: int, _total: int | None) -> None:
        assert done == 6
        damage(on_stage.play)
        on_stage.play.do(["226 done"])

    with on_stage.ftp as ftp, pytest.raises(TransferError, match="ended after 6 bytes"):
        ftp.download("f", io.BytesIO(), on_progress=harm)


def test_context_that_is_none_is_an_error() -> None:
    on_stage = stage(on("AUTH TLS", "234 go"), tls="require", context="whatever")
    with pytest.raises(ConfigError, match=r"'whatever' is no ssl\.SSLContext"):
        on_stage.ftp.connect()
    assert not on_stage.ftp.connected


@pytest.mark.req("C-4217-TLS-1")
def test_session_that_was_under_tls_does_not_come_back_in_clear(context: ssl.SSLContext, pair: Pair) -> None:
    """Somebody in between may say that there is no TLS any more."""
    lost, refused = on("PWD", hang_up), on("AUTH TLS", "502 no such thing")
    on_stage = stage(*logged_in(context, lost, refused, refused), tls="auto", ca=pair.certificate, retries=2)
    with on_stage.ftp, pytest.raises(ConnectError, match="refuses TLS"):
        on_stage.ftp.pwd()
    on_stage.play.done()
    assert on_stage.play.heard.count("USER me") == 1


def test_session_under_tls_comes_back_under_tls(context: ssl.SSLContext, pair: Pair) -> None:
    again = logged_in(context)[1:]
    on_stage = stage(
        *logged_in(context, on("PWD", hang_up), *again, on("PWD", '257 "/"')),
        tls="auto",
        ca=pair.certificate,
        retries=1,
    )
    with on_stage.ftp:
        assert on_stage.ftp.pwd() == "/"
    on_stage.play.done()
