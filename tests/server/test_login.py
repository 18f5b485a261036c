"""USER, PASS, ACCT, REIN and QUIT: who is logged in, and what is forgotten when nobody is any longer."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from fairlead.accounts.base import Account, Right, Rule
from fairlead.accounts.memory import MemoryAccounts, User
from fairlead.accounts.password import KeyedDigest
from fairlead.events import SessionClosed
from fairlead.server.registry import COMMANDS
from fairlead.storage.memory import MemoryStorage
from tests.server.session import Control, Running, serving

WRITER = (Rule("/", Right.WRITER),)


def logged_in(control: Control) -> bool:
    return "Not logged in" not in control.ask("STAT").text


@pytest.fixture
def accounts() -> Iterator[Running]:
    """A server with an account of each kind."""
    storage = MemoryStorage()
    users = [
        User(Account("me", rules=WRITER), KeyedDigest("secret")),
        User(Account("empty", rules=WRITER), KeyedDigest("")),
        User(Account("spaces", rules=WRITER), KeyedDigest(" two  words ")),
        User(Account("dash", rules=WRITER), KeyedDigest("-secret")),
        User(Account("octets", rules=WRITER), KeyedDigest("\udcff\udcfe")),
        User(Account("early", rules=WRITER, account_at="login"), KeyedDigest("secret"), KeyedDigest("budget")),
        User(Account("late", rules=WRITER, account_at="store"), KeyedDigest("secret"), KeyedDigest("budget")),
    ]
    anonymous = Account("anonymous", anonymous=True)
    with serving(storage, accounts=MemoryAccounts(users, anonymous=anonymous), login_delay=0) as running:
        yield running


@pytest.mark.req("S-959-USER-1", "S-959-PASS-1")
def test_a_user_logs_in(accounts: Running) -> None:
    with accounts.connect() as control:
        assert not logged_in(control)
        assert control.codes("USER me", "PASS secret") == [331, 230]
        assert logged_in(control)


@pytest.mark.req("S-2577-USER-2", "S-959-USER-1")
def test_an_unknown_user_is_answered_as_a_known_one(accounts: Running) -> None:
    with accounts.connect() as control:
        assert control.ask("USER nobody") == control.ask("USER me")
        replies = []
        for user in ("nobody", "me"):
            control.ask(f"USER {user}")
            replies.append(control.ask("PASS wrong"))
        assert replies[0] == replies[1]
        assert replies[0].code == 530


@pytest.mark.req("S-959-PASS-3")
@pytest.mark.parametrize(
    ("user", "password"),
    [("empty", b""), ("spaces", b" two  words "), ("dash", b"-secret"), ("octets", b"\xff\xff\xfe")],
)
def test_a_password_is_any_octets(accounts: Running, user: str, password: bytes) -> None:
    with accounts.connect() as control:
        assert control.ask(f"USER {user}").code == 331
        assert control.ask(b"PASS " + password).code == 230


@pytest.mark.req("S-959-PASS-2", "S-ERR-3")
@pytest.mark.parametrize(
    "between", ["SYST", "FEAT", "FOO", "PWD", "OPTS UTF8 ON", "TYPE", "PASS wrong", "ABOR", "REIN", "CLNT x", "ACCT x"]
)
def test_pass_must_follow_user_at_once(accounts: Running, between: str) -> None:
    with accounts.connect() as control:
        assert control.ask("USER me").code == 331
        control.ask(between)
        assert control.ask("PASS secret").code == 503
        assert not logged_in(control)


@pytest.mark.req("S-959-PASS-2", "S-ERR-3")
def test_pass_without_user_is_out_of_order(accounts: Running) -> None:
    with accounts.connect() as control:
        assert control.ask("PASS secret").code == 503
        assert control.codes("USER me", "PASS secret", "PASS secret") == [331, 230, 503]
        assert logged_in(control)


@pytest.mark.req("S-959-NOOP-1")
@pytest.mark.parametrize("between", ["NOOP", "HELP", "STAT"])
def test_what_changes_nothing_may_come_between_user_and_pass(accounts: Running, between: str) -> None:
    with accounts.connect() as control:
        assert control.ask("USER me").code == 331
        control.ask(between)
        assert control.ask("PASS secret").code == 230


@pytest.mark.req("S-959-USER-3")
def test_a_second_user_begins_the_login_anew(accounts: Running) -> None:
    with accounts.login("me") as control:
        assert control.ask("USER anonymous").code == 331
        assert not logged_in(control)
        assert control.ask("PWD").code == 530
        assert control.codes("USER me", "USER anonymous", "PASS me@example.com", "MKD x") == [331, 331, 230, 550]


@pytest.mark.req("S-959-USER-3", "S-959-REIN-1")
@pytest.mark.parametrize("restart", ["USER", "REIN"])
def test_nothing_of_the_former_user_is_left(accounts: Running, restart: str) -> None:
    with accounts.login("me") as control:
        assert control.store("STOR file", b"content").code == 226
        assert control.ask("MKD below").code == 257

        def log_in_again() -> None:
            if restart == "REIN":
                assert control.ask("REIN").code == 220
            assert control.codes("USER me", "PASS secret", "TYPE I") == [331, 230, 200]

        assert control.ask("RNFR file").code == 350
        log_in_again()
        assert control.ask("RNTO other").code == 503
        assert control.ask("REST 3").code == 350
        log_in_again()
        assert control.fetch("RETR file") == b"content"
        assert control.ask("CWD below").code == 250
        log_in_again()
        assert control.ask("PWD").text.startswith('"/"')


@pytest.mark.req("S-2577-PASS-4", "S-ERR-8")
def test_after_three_wrong_passwords_the_session_ends(accounts: Running) -> None:
    with accounts.connect() as control:
        codes = [control.codes("USER me", "PASS wrong") for _ in range(3)]
        assert codes == [[331, 530], [331, 530], [331, 421]]
        assert control.at_end()
    assert "password" in accounts.await_event(SessionClosed).reason


@pytest.mark.req("S-2577-PASS-4")
def test_nothing_behind_the_last_wrong_password_is_run(accounts: Running) -> None:
    with accounts.connect() as control:
        control.send("USER me\r\nPASS wrong\r\n" * 3 + "USER me\r\nPASS secret\r\nMKD x")
        assert control.read_codes(6) == [331, 530, 331, 530, 331, 421]
        assert control.at_end()
    with accounts.login() as control:
        assert control.ask("CWD x").code == 550


@pytest.mark.req("S-2577-PASS-4")
def test_rein_and_user_do_not_give_further_tries(accounts: Running) -> None:
    with accounts.connect() as control:
        assert control.codes("USER me", "PASS wrong", "REIN", "USER me", "PASS secret") == [331, 530, 220, 331, 230]
        assert control.codes("USER me", "PASS wrong", "REIN", "USER me", "PASS wrong") == [331, 530, 220, 331, 421]


@pytest.mark.req("S-2577-PASS-4", "S-2577-THR-2")
def test_a_wrong_password_delays_its_source_and_nobody_else() -> None:
    accounts = MemoryAccounts([User(Account("me"), KeyedDigest("secret"))])
    with (
        serving(MemoryStorage(), accounts=accounts, login_delay=0.2) as running,
        running.connect() as first,
        running.connect() as second,
        running.connect() as other,
    ):
        begun = time.monotonic()
        assert first.codes("USER me", "PASS wrong") == [331, 530]
        once = time.monotonic() - begun
        assert once >= 0.2
        begun = time.monotonic()
        second.send("USER me\r\nPASS wrong")
        assert second.read().code == 331
        assert other.codes("NOOP", "USER me", "PASS secret") == [200, 331, 230]
        second.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            second.socket.recv(1)
        second.socket.settimeout(10)
        assert second.read().code == 530
        assert time.monotonic() - begun >= 0.3, "the second failure of a source waits longer, also in another session"


@pytest.mark.req("S-959-ACCT-1", "S-959-PASS-1")
def test_an_account_may_be_asked_for_at_login(accounts: Running) -> None:
    with accounts.connect() as control:
        assert control.codes("USER early", "PASS secret") == [331, 332]
        assert not logged_in(control)
        assert control.ask("PWD").code == 530
        assert control.ask("ACCT budget").code == 230
        assert logged_in(control)
        assert control.ask("ACCT budget").code == 202


@pytest.mark.req("S-959-ACCT-1")
def test_a_wrong_account_is_a_failed_login(accounts: Running) -> None:
    with accounts.connect() as control:
        assert control.codes("USER early", "PASS secret", "ACCT wrong", "ACCT budget") == [331, 332, 530, 503]
        assert not logged_in(control)
        assert control.codes("USER early", "PASS secret", "ACCT wrong") == [331, 332, 530]
        assert control.codes("USER early", "PASS secret", "ACCT wrong") == [331, 332, 421]
        assert control.at_end()


@pytest.mark.req("S-959-ACCT-1", "S-959-ACCT-2", "S-959-T-7", "S-959-T-12")
def test_an_account_may_be_asked_for_before_storing(accounts: Running) -> None:
    with accounts.login("late") as control:
        with control.passive():
            assert control.codes("STOR file", "APPE file", "STOU") == [532, 532, 532]
        assert control.ask("MKD x").code == 257
        assert control.codes("RNFR x", "RNTO y") == [350, 532]
        assert control.codes("ACCT wrong", "ACCT budget", "ACCT budget") == [530, 230, 202]
        assert control.store("STOR file", b"content").code == 226
        assert control.codes("RNFR x", "RNTO y") == [350, 250]
        assert control.codes("USER late", "PASS secret") == [331, 230]
        with control.passive():
            assert control.ask("STOR file").code == 532


@pytest.mark.req("S-959-ACCT-1")
def test_an_account_nobody_asked_for_is_superfluous(accounts: Running) -> None:
    with accounts.connect() as control:
        assert control.codes("ACCT budget", "USER me", "ACCT budget") == [503, 331, 503]
        assert control.codes("USER me", "PASS secret", "ACCT budget") == [331, 230, 202]


@pytest.mark.req("S-959-AUTHZ-1", "S-ERR-3")
@pytest.mark.parametrize(
    "line",
    "CWD /;XCWD /;CDUP;XCUP;PWD;XPWD;MKD x;XMKD x;RMD x;XRMD x;DELE x;RNFR x;RNTO x;RETR x;STOR x;STOU;APPE x;LIST;"
    "NLST;MLSD;MLST;SIZE x;MDTM x;MFMT 20200101000000 x;STAT x;PASV;EPSV;PORT 127,0,0,1,9,9;EPRT |1|127.0.0.1|9999|;"
    "TYPE I;MODE S;STRU F;REST 1;ALLO 1;SITE CHMOD 644 x".split(";"),
)
def test_files_cannot_be_touched_before_login(accounts: Running, line: str) -> None:
    with accounts.connect() as control:
        assert control.ask(line).code == 530


@pytest.mark.req("S-959-AUTHZ-2", "S-2389-FEAT-5")
@pytest.mark.parametrize(
    "line",
    "USER x;PASS x;ACCT x;QUIT;REIN;HELP;HELP RETR;NOOP;SYST;STAT;FEAT;OPTS UTF8 ON;OPTS MLST type;HOST x;LANG;"
    "AUTH TLS;PBSZ 0;PROT P;CLNT x;CSID x".split(";"),
)
def test_these_may_be_asked_before_login(accounts: Running, line: str) -> None:
    with accounts.connect() as control:
        assert control.ask(line).code != 530


@pytest.mark.req("S-959-REIN-1")
def test_rein_resets_everything_but_the_connection(accounts: Running) -> None:
    with accounts.login() as control:
        features = control.ask("FEAT")
        assert control.codes("TYPE I", "OPTS MLST type;", "EPSV ALL") == [200, 200, 200]
        port = int(control.ask("EPSV").text.split("|")[3])
        assert control.ask("FEAT") != features
        greeting = control.ask("REIN")
        assert greeting.code == 220
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        assert control.ask("PWD").code == 530
        status = control.ask("STAT").text
        assert "TYPE: A N;" in status
        assert "No data connection" in status
        assert control.ask("FEAT") == features
        assert control.codes("USER me", "PASS secret", "PASV") == [331, 230, 227]


@pytest.mark.req("S-959-REIN-1", "S-959-DP-4")
def test_rein_forgets_what_port_set(accounts: Running) -> None:
    with accounts.login() as control, control.active() as listener:
        assert control.codes("REIN", "USER me", "PASS secret", "NLST") == [220, 331, 230, 150]
        assert control.read().code == 425
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.req("S-959-QUIT-1", "S-959-T-21")
@pytest.mark.parametrize("before", [[], ["USER me"], ["USER me", "PASS secret"], ["USER early", "PASS secret"]])
def test_quit_says_goodbye_and_ends_the_connection(accounts: Running, before: list[str]) -> None:
    with accounts.connect() as control:
        control.codes(*before)
        assert control.ask("QUIT").code == 221
        assert control.at_end()
    accounts.await_idle()


@pytest.mark.req("S-959-QUIT-1")
def test_nothing_behind_quit_is_run_and_its_reply_is_not_lost(accounts: Running) -> None:
    """Octets that nobody reads would make the system reset the connection, and the reset could outrun the reply."""
    with accounts.login() as control:
        control.send("QUIT\r\nMKD x\r\n" + "NOOP\r\n" * 50_000)
        assert control.read().code == 221
        assert control.at_end()
    with accounts.login() as control:
        assert control.ask("CWD x").code == 550


@pytest.mark.req("S-959-AUTHZ-1", "S-959-AUTHZ-2")
def test_what_is_served_before_login_touches_no_file() -> None:
    free = {verb: spec for verb, spec in COMMANDS.items() if not spec.login}
    assert set("USER PASS ACCT REIN QUIT NOOP SYST CLNT ABOR HELP FEAT OPTS STAT".split()) <= set(free)
    assert not [verb for verb, spec in free.items() if spec.path or spec.data or spec.storage]
