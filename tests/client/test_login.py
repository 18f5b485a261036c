"""From the greeting to the login."""

from __future__ import annotations

import pytest

from fairlead.errors import ConnectError, DeadlineError, LoginError, PermanentError, SessionLost, TransientError
from tests.client.script import HOST, NO_FEATURES, Stage, cut_off, hang_up, later, on, session, stage


def log_in(on_stage: Stage) -> list[str]:
    """Connect and log in; the commands that the server heard."""
    with on_stage.ftp:
        pass
    on_stage.play.done()
    return on_stage.play.heard


@pytest.mark.req("C-959-LOGIN-1")
def test_user_alone_when_the_server_asks_for_no_password() -> None:
    assert log_in(stage(on("USER me", "230 in"), *NO_FEATURES)) == ["USER me", "FEAT", "QUIT"]


@pytest.mark.req("C-959-LOGIN-1")
def test_232_lets_in_like_230() -> None:
    assert log_in(stage(on("USER me", "232 in"), *NO_FEATURES)) == ["USER me", "FEAT", "QUIT"]


@pytest.mark.req("C-959-LOGIN-1")
@pytest.mark.parametrize("reply", ["230 in", "202 superfluous", "230-in\r\n230 now"])
def test_password_when_the_server_asks(reply: str) -> None:
    heard = log_in(stage(on("USER me", "331 password"), on("PASS secret", reply), *NO_FEATURES))
    assert heard == ["USER me", "PASS secret", "FEAT", "QUIT"]


@pytest.mark.req("C-959-LOGIN-1")
def test_account_after_the_password() -> None:
    steps = (on("USER me", "331 password"), on("PASS secret", "332 account"), on("ACCT lab", "230 in"), *NO_FEATURES)
    assert "ACCT lab" in log_in(stage(*steps, account="lab"))


@pytest.mark.req("C-959-LOGIN-1")
def test_account_instead_of_a_password() -> None:
    steps = (on("USER me", "332 account"), on("ACCT lab", "230 in"), *NO_FEATURES)
    assert log_in(stage(*steps, account="lab")) == ["USER me", "ACCT lab", "FEAT", "QUIT"]


@pytest.mark.req("C-959-LOGIN-1")
def test_account_wanted_and_none_given() -> None:
    with pytest.raises(LoginError, match="332 account"):
        log_in(stage(on("USER me", "331 password"), on("PASS secret", "332 account")))


@pytest.mark.req("C-959-LOGIN-1", "C-1123-UI-1")
def test_refused_login_tells_what_the_server_said_but_no_password() -> None:
    with pytest.raises(LoginError) as caught:
        log_in(stage(on("USER me", "331 password"), on("PASS secret", "530-No.\r\n530 Really.")))
    assert str(caught.value) == "the server answered 'PASS' with: 530 No.\nReally."
    assert caught.value.reply.code == 530


def test_temporary_refusal_is_a_transient_error() -> None:
    with pytest.raises(TransientError):
        log_in(stage(on("USER me", "331 password"), on("PASS secret", "430 later")))


@pytest.mark.req("C-1635-LOGIN-2", "U-1738-5")
def test_without_a_user_the_login_is_anonymous_and_tells_nothing_of_the_user() -> None:
    steps = (on("USER anonymous", "331 e-mail?"), on("PASS anonymous@example.com", "230 in"), *NO_FEATURES)
    log_in(stage(*steps, url=f"ftp://{HOST}"))


@pytest.mark.req("U-1738-5")
def test_password_is_asked_for_only_when_the_server_wants_it() -> None:
    asked: list[str] = []

    def ask() -> str:
        asked.append("asked")
        return "secret"

    log_in(stage(on("USER me", "230 in"), *NO_FEATURES, url=f"ftp://me@{HOST}", password=ask))
    assert asked == []
    log_in(
        stage(
            on("USER me", "331 password"),
            on("PASS secret", "230 in"),
            *NO_FEATURES,
            url=f"ftp://me@{HOST}",
            password=ask,
        )
    )
    assert asked == ["asked"]


@pytest.mark.req("U-1738-5")
def test_empty_password_of_a_url_is_a_password() -> None:
    steps = (on("USER me", "331 password"), on("PASS", "230 in"), *NO_FEATURES)
    log_in(stage(*steps, url=f"ftp://me:@{HOST}"))


@pytest.mark.req("U-1738-2")
def test_directory_of_the_url_is_entered_segment_by_segment() -> None:
    steps = (on("USER me", "230 in"), *NO_FEATURES, on("CWD /etc", "250 ok"), on("CWD a b", "250 ok"))
    log_in(stage(*steps, url=f"ftp://me@{HOST}/%2Fetc//a%20b/"))


@pytest.mark.req("C-959-RPL-6")
def test_120_is_waited_out() -> None:
    greeting = ("120 in a minute", later(50, "220 ready"))
    heard = log_in(stage(on("USER me", "230 in"), *NO_FEATURES, greeting=greeting))
    assert heard == ["USER me", "FEAT", "QUIT"]


@pytest.mark.req("C-959-RPL-6")
def test_120_after_rein_is_waited_out() -> None:
    with session(on("REIN", "120 wait", "220 ready")) as s:
        assert s.ftp.command("REIN").code == 220


@pytest.mark.req("C-959-CONN-1")
@pytest.mark.parametrize(
    ("greeting", "said"),
    [
        (("530 go away",), "530 go away"),
        (("421 too many users", hang_up), "421 too many users"),
        ((hang_up,), "closed the control connection"),
        ((cut_off,), "broke"),
        (("SSH-2.0-OpenSSH_9.2",), "no FTP server"),
        (("HTTP/1.1 400 Bad Request",), "no FTP server"),
    ],
)
def test_greeting_that_lets_nobody_in_is_a_connect_error(greeting: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConnectError, match=said):
        stage(greeting=greeting).ftp.connect()


@pytest.mark.req("C-1123-UI-2")
def test_greeting_that_never_comes() -> None:
    on_stage = stage(greeting=(), reply_timeout=7)
    with pytest.raises(DeadlineError, match=r"no reply to the greeting within 7.0 s"):
        on_stage.ftp.connect()
    assert on_stage.wire.time == pytest.approx(7, abs=0.1)


@pytest.mark.req("C-1123-RPL-2", "C-1123-RPL-3")
def test_multi_line_greeting_and_codes_of_the_right_class() -> None:
    steps = (on("USER me", "399 more"), on("PASS secret", "299-in\r\n 230 banner\r\n299 done"), *NO_FEATURES)
    heard = log_in(stage(*steps, greeting=("220-hello\r\n220-there\r\n 221 not the end\r\n220 ready",)))
    assert heard == ["USER me", "PASS secret", "FEAT", "QUIT"]


@pytest.mark.req("C-1123-RPL-10")
def test_421_during_the_login_ends_the_session() -> None:
    on_stage = stage(on("USER me", "421 idle for too long", hang_up))
    with pytest.raises(SessionLost, match="421 idle for too long"):
        log_in(on_stage)
    with pytest.raises(SessionLost, match="connect again"):
        on_stage.ftp.pwd()


@pytest.mark.req("C-2389-FEAT-1")
@pytest.mark.parametrize("refusal", ["500 what?", "502 not here", "530 log in first"])
def test_refused_feat_means_unknown_not_none(refusal: str) -> None:
    with session(features=(on("FEAT", refusal),)) as s:
        assert s.ftp.features is None


@pytest.mark.req("C-2389-FEAT-1")
def test_features_are_known_by_label() -> None:
    lines = "211-Features:\r\n mlst type*;\r\n   SIZE\r\nREST STREAM\r\n211 End"
    with session(features=(on("FEAT", lines),)) as s:
        assert s.ftp.features == {"MLST": "type*;", "SIZE": "", "REST": "STREAM"}


@pytest.mark.req("C-2389-FEAT-1")
def test_feat_is_asked_again_after_each_login() -> None:
    on_stage = stage(
        on("USER me", "230 in"), on("FEAT", "211 none"), on("USER me", "230 in"), on("FEAT", "211-\r\n SIZE\r\n211 ")
    )
    with on_stage.ftp as ftp:
        assert ftp.features == {}
        ftp.login()
        assert ftp.features == {"SIZE": ""}


@pytest.mark.req("C-DF-CMD-3", "C-2640-CMD-2")
def test_utf8_is_switched_on_only_where_it_is_offered() -> None:
    offered = on("FEAT", "211-Features:\r\n UTF8\r\n211 End")
    with session(features=(offered, on("OPTS UTF8 ON", "501 always on"))) as s:
        assert s.ftp.connected
    with session(features=(on("FEAT", "211-Features:\r\n SIZE\r\n211 End"),)) as s:
        assert s.ftp.connected


def test_directory_that_is_not_there_is_no_login_error() -> None:
    on_stage = stage(on("USER me", "230 in"), *NO_FEATURES, on("CWD x", "550 none"), url=f"ftp://me@{HOST}/x")
    with pytest.raises(PermanentError) as caught:
        log_in(on_stage)
    assert not isinstance(caught.value, LoginError)


@pytest.mark.req("C-959-QUIT-1")
@pytest.mark.parametrize("farewell", [("221-so\r\n221 long", hang_up), (hang_up,), (cut_off,), ("500 what?",), ()])
def test_quit_puts_up_with_any_farewell(farewell: tuple[str, ...]) -> None:
    on_stage = stage(on("USER me", "230 in"), *NO_FEATURES, on("QUIT", *farewell))
    log_in(on_stage)
    assert on_stage.wire.time < 5
    assert not on_stage.ftp.connected
