"""The certificates of a server: chosen by name, loaded anew, asked of clients."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fairlead import openssl
from fairlead.accounts.base import Account, Right, Rule
from fairlead.accounts.memory import MemoryAccounts, User
from fairlead.accounts.password import KeyedDigest
from fairlead.errors import ConfigError, TlsError
from fairlead.events import LoginSucceeded, Noticed, SessionClosed
from fairlead.server.certificates import LOOK, READY, RENEWAL, Certificates, SessionContext
from fairlead.server.settings import TlsSettings
from fairlead.storage.local import LocalStorage
from fairlead.tls import Tls
from tests.certificates import Pair, make
from tests.server.secure import Secure, connect, login, protected, settings, trusting
from tests.server.session import Running, serving


class Bench:
    """Certificates with a clock and a schedule of the test's own."""

    def __init__(self, tls: TlsSettings) -> None:
        self.notices: list[str] = []
        self.scheduled: list[Callable[[], None]] = []
        self.now = 0.0
        self.certificates = Certificates(
            tls,
            notice=self.notices.append,
            schedule=lambda _, function: self.scheduled.append(function),
            clock=lambda: self.now,
        )

    def shown(self, name: str | None = None, host: str = "") -> bytes:
        """The certificate that a client sees who calls ``name``."""
        client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client_context.check_hostname = False
        client_context.verify_mode = ssl.CERT_NONE
        client = Tls(client_context, server_name=name)
        server = self.certificates.session_context(host).begin()
        while not client.handshake(server.take()):
            server.handshake(client.take())
        assert client.peer_certificate is not None
        return client.peer_certificate

    def later(self) -> None:
        """Let the time pass after which the files are looked at again."""
        self.now += LOOK


def der(pair: Pair) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())


# Choice by name


@pytest.fixture
def several(tmp_path: Path) -> tuple[Pair, Pair, Pair]:
    return (
        make(tmp_path, "first.example"),
        make(tmp_path, "second", "ftp.second.example", "second.example"),
        make(tmp_path, "third", "*.third.example"),
    )


@pytest.mark.parametrize(
    ("name", "number"),
    [
        (None, 0),
        ("first.example", 0),
        ("ftp.second.example", 1),
        ("FTP.Second.Example", 1),
        ("second.example", 1),
        ("any.third.example", 2),
        ("third.example", 0),
        ("a.b.third.example", 0),
        ("unknown.example", 0),
    ],
)
@pytest.mark.req("S-7151-6")
def test_the_name_that_the_client_calls_chooses(
    several: tuple[Pair, Pair, Pair], name: str | None, number: int
) -> None:
    assert Bench(settings(*several)).shown(name) == der(several[number])


@pytest.mark.parametrize(("name", "host", "number"), [(None, "second.example", 1), ("x.third.example", "second", 2)])
def test_without_a_name_in_tls_the_host_chooses(
    several: tuple[Pair, Pair, Pair], name: str | None, host: str, number: int
) -> None:
    assert Bench(settings(*several)).shown(name, host) == der(several[number])


def test_a_name_with_a_dot_at_its_end_is_the_same(several: tuple[Pair, Pair, Pair]) -> None:
    certificates = Bench(settings(*several)).certificates

    assert certificates.chosen("second.example.") is certificates.chosen("second.example")


def test_of_two_for_one_name_the_first_counts(tmp_path: Path) -> None:
    one, two = make(tmp_path, "one", "both.example"), make(tmp_path, "two", "both.example")

    assert Bench(settings(one, two)).shown("both.example") == der(one)


def test_a_certificate_that_is_not_for_servers_serves_where_it_is_the_first(tmp_path: Path) -> None:
    other = make(tmp_path, "client", purpose="client")

    assert Bench(settings(other)).shown("client") == der(other)


# Loading anew


def replace(old: Pair, new: Pair) -> None:
    os.replace(new.certificate, old.certificate)
    os.replace(new.key, old.key)


def test_files_that_change_are_loaded_anew(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    old, new = make(tmp_path, "server"), make(tmp_path / "new", "server")
    expected = der(new)
    bench = Bench(settings(old))
    replace(old, new)

    assert bench.shown() != expected  # it has only just looked
    bench.later()
    assert bench.shown() == expected
    assert bench.notices == ["the certificate was loaded anew, since its files changed"]
    bench.later()
    assert bench.shown() == expected
    assert len(bench.notices) == 1


def test_what_cannot_be_loaded_leaves_the_old_in_use_and_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    old, new = make(tmp_path, "server"), make(tmp_path / "new", "server")
    first, second = der(old), der(new)
    bench = Bench(settings(old))
    os.replace(new.certificate, old.certificate)  # its key is still to come

    for _ in range(3):
        bench.later()
        assert bench.shown() == first
    assert len(bench.notices) == 1
    assert "the old certificate stays in use: the key in" in bench.notices[0]

    os.replace(new.key, old.key)
    bench.later()
    assert bench.shown() == second
    assert len(bench.notices) == 2


def test_a_file_that_is_gone_leaves_the_old_in_use(tmp_path: Path) -> None:
    pair = make(tmp_path, "server")
    expected = der(pair)
    bench = Bench(settings(pair))
    pair.certificate.unlink()
    bench.later()

    assert bench.shown() == expected
    assert "cannot read" in bench.notices[0]


def test_new_settings_count_only_if_they_can(tmp_path: Path) -> None:
    pair, other = make(tmp_path, "server"), make(tmp_path, "other")
    bench = Bench(settings(pair))
    bench.certificates.prepare()
    expected = der(other)

    with pytest.raises(ConfigError, match="cannot read"):
        bench.certificates.configure(settings(Pair(tmp_path / "missing", pair.key, pair.body, pair.secret)))
    assert bench.shown() == der(pair)

    bench.certificates.configure(settings(other))
    assert bench.shown() == expected


@pytest.mark.parametrize(("left", "said"), [(timedelta(days=-1), "has expired"), (timedelta(days=3), "expires")])
def test_a_certificate_that_ends_is_worth_a_notice(tmp_path: Path, left: timedelta, said: str) -> None:
    until = datetime.now(UTC) + left
    pair = make(tmp_path, "server", until=until)

    assert Bench(settings(pair)).notices == [
        f"the certificate {pair.certificate} {said} on {until:%Y-%m-%d}; clients refuse an expired one"
    ]


def test_one_that_is_good_for_long_is_not(tmp_path: Path) -> None:
    pair = make(tmp_path, "server", until=datetime.now(UTC) + timedelta(days=60))

    assert Bench(settings(pair)).notices == []


# Contexts of sessions


def resumes(first: SessionContext, second: SessionContext, version: ssl.TLSVersion) -> bool:
    """Whether a connection of ``second`` resumes the session of one of ``first``."""
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname = False
    client_context.verify_mode = ssl.CERT_NONE
    client_context.maximum_version = version
    session: ssl.SSLSession | None = None
    found = []
    for context in (first, second):
        client, server = Tls(client_context, session=session), context.begin()
        client.handshake()
        while not server.handshake(client.take()):
            client.handshake(server.take())
        client.handshake(server.take())
        client.receive(server.send(b"220"))
        session = client.session
        found.append(server.resumed)
    return found == [False, True]


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_each_session_resumes_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: bool, version: ssl.TLSVersion
) -> None:
    if not asked:
        monkeypatch.setattr(openssl, "_functions", lambda: None)
    bench = Bench(settings(make(tmp_path, "server")))
    bench.certificates.prepare()

    one, other = bench.certificates.session_context(), bench.certificates.session_context()

    assert one.renews == other.renews == asked
    assert resumes(one, one, version)
    assert not resumes(one, other, version)
    assert not resumes(other, one, version)


def test_sessions_share_a_context_for_each_host_for_an_hour(tmp_path: Path) -> None:
    bench = Bench(settings(make(tmp_path, "server")))
    bench.certificates.prepare()

    def shared(host: str = "") -> object:
        return bench.certificates.session_context(host)._context

    first, hosts = shared(), shared("host.example")
    assert shared() is first
    assert hosts is not first
    bench.now += RENEWAL - 1
    assert shared() is first
    bench.now += 1
    second = shared()
    assert second is not first
    assert shared() is second
    bench.certificates.configure(settings(make(tmp_path, "other")))
    assert shared() not in (first, second)
    assert not bench.scheduled


def test_who_cannot_be_told_apart_is_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = Bench(settings(make(tmp_path, "server"))).certificates.session_context()
    monkeypatch.setattr(openssl, "_functions", lambda: None)

    with pytest.raises(TlsError, match="who may resume"):
        context.begin()


def test_where_each_needs_its_own_they_are_made_ahead_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openssl, "_functions", lambda: None)
    bench = Bench(settings(make(tmp_path, "server")))
    contexts = [bench.certificates.session_context()._context for _ in range(2)]
    assert contexts[0] is not contexts[1]

    made = 0
    while bench.scheduled:
        assert len(bench.scheduled) == 1
        bench.scheduled.pop()()
        made += 1
    assert made == READY
    bench.certificates.session_context()
    assert len(bench.scheduled) == 1


# On the wire


def test_control_and_data_connections_show_the_certificate_for_the_name(
    storage: LocalStorage, several: tuple[Pair, Pair, Pair], tmp_path: Path
) -> None:
    trusted = tmp_path / "all"
    trusted.write_bytes(b"".join(pair.certificate.read_bytes() for pair in several))
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    with serving(storage, accounts=accounts, tls=settings(*several)) as running:
        for name, number in (("ftp.second.example", 1), ("first.example", 0), ("a.third.example", 2)):
            with connect(running, trusting(trusted), name) as control:
                control.auth()
                control.log_in()
                control.protect()
                assert control.tls.getpeercert(binary_form=True) == der(several[number])
                control.resumes = False
                with control.transfer("LIST") as data:
                    assert data.getpeercert(binary_form=True) == der(several[number])
                    assert data.recv(1) == b""
                assert control.read().code == 226


def test_a_certificate_is_exchanged_under_a_running_server(storage: LocalStorage, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    old, new = make(tmp_path, "server", "localhost"), make(tmp_path / "new", "server", "localhost")
    expected = der(new)
    context = trusting(old.certificate)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with protected(storage, old) as running, login(running, context) as before:
        replace(old, new)

        def is_new() -> bool:
            with login(running, context) as control:
                return control.tls.getpeercert(binary_form=True) == expected

        running.await_condition(is_new)
        # A session goes on as it began, its data connections too.
        assert before.fetch("NLST") == b""
        assert running.await_event(Noticed).message == "the certificate was loaded anew, since its files changed"


# Certificates of clients


@pytest.fixture
def authority(tmp_path: Path) -> Pair:
    return make(tmp_path, "authority", authority=True)


@pytest.fixture
def asking(storage: LocalStorage, pair: Pair, authority: Pair) -> Iterator[Running]:
    """A server where the certificate of alice opens her account."""
    writer = (Rule("/", Right.WRITER),)
    accounts = MemoryAccounts(
        [
            User(Account("alice", storage, writer), KeyedDigest("a"), certificates=["alice@example.com"]),
            User(Account("bob", storage, writer), KeyedDigest("b"), certificates=["bob"]),
            User(
                Account("carol", storage, writer, account_at="login"),
                KeyedDigest("c"),
                KeyedDigest("account"),
                certificates=["bob"],
            ),
        ]
    )
    with protected(storage, pair, {"client_ca": str(authority.certificate)}, accounts=accounts) as server:
        yield server


def showing(context: ssl.SSLContext, pair: Pair) -> ssl.SSLContext:
    context.load_cert_chain(pair.certificate, pair.key)
    return context


@pytest.mark.req("S-959-USER-1")
def test_a_certificate_takes_the_place_of_the_password(
    asking: Running, authority: Pair, context: ssl.SSLContext, tmp_path: Path
) -> None:
    alice = make(tmp_path, "alice", "alice@example.com", issuer=authority)
    with connect(asking, showing(context, alice)) as control:
        control.auth()
        assert control.codes("PWD", "USER alice", "PWD", "PASS x") == [530, 232, 257, 503]
        control.protect()
        assert control.store("STOR file", b"data").code == 226
        assert control.fetch("RETR file") == b"data"
        record = asking.await_event(LoginSucceeded)
        assert (record.user, record.certified, record.password) == ("alice", True, None)


def test_by_its_common_name_too_and_with_acct_where_that_is_asked_for(
    asking: Running, authority: Pair, context: ssl.SSLContext, tmp_path: Path
) -> None:
    bob = make(tmp_path, "bob", issuer=authority)
    with connect(asking, showing(context, bob)) as control:
        control.auth()
        assert control.codes("USER bob", "PWD", "USER carol", "PWD", "ACCT account", "PWD") == [
            232, 257, 332, 530, 230, 257,
        ]  # fmt: skip


def test_for_another_account_the_password_is_needed(
    asking: Running, authority: Pair, context: ssl.SSLContext, tmp_path: Path
) -> None:
    alice = make(tmp_path, "alice", "alice@example.com", issuer=authority)
    with connect(asking, showing(context, alice)) as control:
        control.auth()
        assert control.codes("USER bob", "PASS wrong", "USER bob", "PASS b") == [331, 530, 331, 230]
        assert not asking.await_event(LoginSucceeded).certified
        assert control.codes("USER nobody", "PASS x") == [331, 530]


def test_without_a_certificate_the_password_serves(asking: Running, context: ssl.SSLContext) -> None:
    with connect(asking, context) as control:
        control.auth()
        assert control.codes("USER alice", "PASS a") == [331, 230]
        control.protect()
        assert control.fetch("NLST") == b""


def test_a_certificate_of_nobody_that_is_trusted_ends_the_session(
    asking: Running, context: ssl.SSLContext, tmp_path: Path
) -> None:
    impostor = make(tmp_path, "alice", "alice@example.com")
    with connect(asking, showing(context, impostor)) as control:
        assert control.ask("AUTH TLS").code == 234
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            shake_hands_and_ask(control)
    assert "certificate is not accepted" in asking.await_event(SessionClosed).reason


def shake_hands_and_ask(control: Secure) -> None:
    """Under TLS 1.3 a client learns only with the first reply that its certificate is not accepted."""
    control.begin_tls()
    control.ask("USER alice")


def test_after_ccc_a_certificate_opens_nothing_more(
    asking: Running, authority: Pair, context: ssl.SSLContext, tmp_path: Path
) -> None:
    alice = make(tmp_path, "alice", "alice@example.com", issuer=authority)
    with connect(asking, showing(context, alice)) as control:
        control.auth()
        assert control.codes("USER alice", "CCC") == [232, 200]
        control.end_tls()
        assert control.ask("USER alice").code == 331


def test_where_none_are_asked_for_none_counts(
    storage: LocalStorage, pair: Pair, authority: Pair, context: ssl.SSLContext, tmp_path: Path
) -> None:
    alice = make(tmp_path, "me", issuer=authority)
    accounts = MemoryAccounts([User(Account("me", storage), KeyedDigest("secret"), certificates=["me"])])
    with (
        protected(storage, pair, accounts=accounts) as running,
        connect(running, showing(context, alice)) as control,
    ):
        control.auth()
        assert control.ask("USER me").code == 331
