"""HOST, and virtual hosts by it and by TLS (RFC 7151)."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.errors import ConfigError
from fairlead.server import Server
from fairlead.server.hosts import Host
from fairlead.server.settings import Announce, Certificate, TlsSettings
from fairlead.storage.memory import MemoryStorage
from tests.certificates import make
from tests.server.session import DEADLINE, Control, Running, serving
from tests.storage.acts import put


def tree(name: str) -> MemoryStorage:
    storage = MemoryStorage()
    put(storage, f"/of-{name}", name.encode())
    return storage


def host(name: str, *aliases: str, banner: str = "", available: bool = True, anonymous: bool = False) -> Host:
    users = {"me": f"secret of {name}", name: "secret"}
    accounts = MemoryAccounts.sharing(None, users, anonymous=anonymous)
    return Host((f"{name}.example", *aliases), tree(name), accounts, banner or f"This is {name}.", available=available)


@contextmanager
def hosting(**settings: object) -> Iterator[Running]:
    """A server of its own, and the hosts one, two and closed."""
    hosts = [
        host("one", "www.one.example", banner="One.\nWelcome."),
        host("two", anonymous=True),
        host("closed", available=False),
    ]
    accounts = MemoryAccounts.sharing(None, {"me": "secret"})
    names = ("main.example", "Other.Example")
    with serving(tree("main"), accounts=accounts, hosts=hosts, names=names, login_delay=0, **settings) as running:
        yield running


@pytest.fixture
def running() -> Iterator[Running]:
    with hosting() as server:
        yield server


@pytest.fixture
def control(running: Running) -> Iterator[Control]:
    with running.connect() as connection:
        yield connection


def log_in(control: Control, password: str = "secret", user: str = "me") -> int:
    control.ask(f"USER {user}")
    return control.ask(f"PASS {password}").code


@pytest.mark.req("S-7151-7")
def test_the_feature_is_listed(control: Control) -> None:
    assert " HOST" in control.ask("FEAT").lines


@pytest.mark.req("S-7151-1")
@pytest.mark.parametrize(
    ("name", "banner", "password", "file"),
    [
        ("one.example", "One.\nWelcome.", "secret of one", "of-one"),
        ("ONE.Example", "One.\nWelcome.", "secret of one", "of-one"),
        ("www.one.example", "One.\nWelcome.", "secret of one", "of-one"),
        ("two.example", "This is two.", "secret of two", "of-two"),
        ("main.example", "Fairlead ready.", "secret", "of-main"),
        ("other.example", "Fairlead ready.", "secret", "of-main"),
        ("localhost", "Fairlead ready.", "secret", "of-main"),
        ("127.0.0.1", "Fairlead ready.", "secret", "of-main"),
        (socket.gethostname(), "Fairlead ready.", "secret", "of-main"),
    ],
)
def test_a_host_has_a_greeting_accounts_and_files_of_its_own(
    control: Control, name: str, banner: str, password: str, file: str
) -> None:
    reply = control.ask(f"HOST {name}")
    assert (reply.code, reply.text) == (220, banner)
    assert log_in(control, password) == 230
    assert control.fetch("NLST") == f"{file}\r\n".encode()


@pytest.mark.req("S-7151-1")
def test_an_ipv6_address_stands_in_brackets(running: Running) -> None:
    with running.connect(6) as control:
        assert control.codes("HOST [::1]", "HOST [0:0::0:1]", "HOST localhost") == [220, 220, 220]
        assert control.codes("HOST [::2]", "HOST 127.0.0.1", "HOST ::1") == [504, 504, 501]


@pytest.mark.req("S-7151-5")
def test_who_names_no_host_is_with_the_server_itself(control: Control) -> None:
    assert log_in(control, "secret of one") == 530
    assert log_in(control) == 230
    assert control.fetch("NLST") == b"of-main\r\n"


@pytest.mark.req("S-7151-1")
def test_anonymous_access_is_that_of_the_host(control: Control) -> None:
    assert log_in(control, "me@example.com", "ftp") == 530
    assert control.ask("HOST two.example").code == 220
    assert "e-mail" in control.ask("USER ftp").text
    assert control.ask("PASS me@example.com").code == 230
    assert control.fetch("NLST") == b"of-two\r\n"


@pytest.mark.req("S-7151-2", "S-ERR-3")
def test_a_host_comes_before_login(control: Control) -> None:
    assert log_in(control) == 230
    assert control.codes("HOST one.example", "HOST x..y", "NOOP") == [503, 503, 200]
    assert control.fetch("NLST") == b"of-main\r\n"


@pytest.mark.req("S-7151-3", "S-ERR-2")
@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("", 501),
        ("a..b", 501),
        ("-x", 501),
        ("one.example:21", 501),
        ("::1", 501),
        ("[::1", 501),
        ("one example", 501),
        ("b\u00fccher.example", 501),
        ("nobody.example", 504),
        ("xn--bcher-kva.example", 504),
        ("one", 504),
        ("127.0.0.2", 504),
        ("[::1]", 504),
    ],
)
def test_a_host_that_is_refused_changes_nothing(control: Control, argument: str, code: int) -> None:
    assert control.codes("HOST two.example", f"HOST {argument}") == [220, code]
    assert log_in(control, "secret of two") == 230
    assert control.fetch("NLST") == b"of-two\r\n"


@pytest.mark.req("S-7151-3", "S-ERR-8")
def test_a_host_that_is_not_available_ends_the_session(running: Running) -> None:
    with running.connect() as control:
        assert control.ask("HOST closed.example").code == 421
        assert control.at_end()


@pytest.mark.req("S-7151-4")
def test_the_last_host_counts_and_the_login_begins_anew(control: Control) -> None:
    assert control.codes("HOST one.example", "USER me", "HOST two.example", "PASS secret of two") == [
        220,
        331,
        220,
        503,
    ]
    assert log_in(control, "secret of one") == 530
    assert log_in(control, "secret of two") == 230


@pytest.mark.req("S-7151-5", "S-959-REIN-1")
def test_rein_cancels_the_host(control: Control) -> None:
    assert control.ask("HOST one.example").code == 220
    assert log_in(control, "secret of one") == 230
    assert control.ask("REIN").text == "Fairlead ready."
    assert log_in(control, "secret of one") == 530
    assert log_in(control) == 230


@pytest.mark.req("S-7151-1")
def test_announced_names_are_the_servers_own() -> None:
    with hosting(announce=(Announce("203.0.113.7"),)) as running, running.connect() as control:
        assert control.codes("HOST 203.0.113.7", "HOST 203.0.113.8") == [220, 504]


def test_two_hosts_of_one_name() -> None:
    with pytest.raises(ConfigError, match=r"two virtual hosts have the name 'one.example'"):
        Server(storage=MemoryStorage(), hosts=[host("one"), host("two", "one.example")])


def test_hosts_are_taken_anew_for_sessions_to_come(running: Running) -> None:
    server = running.server
    running.call(lambda: server.reconfigure(server.settings, server.accounts, [host("new")]))
    with running.connect() as control:
        assert control.codes("HOST one.example", "HOST new.example") == [504, 220]
    with pytest.raises(ConfigError):
        running.call(lambda: server.reconfigure(server.settings, server.accounts, [host("a"), host("a")]))
    with running.connect() as control:
        assert control.ask("HOST new.example").code == 220


# TLS


@pytest.fixture
def protected(tmp_path: Path) -> Iterator[Running]:
    """The same with a certificate for the server itself and one for the host one."""
    pairs = [make(tmp_path, name, name) for name in ("main.example", "one.example")]
    certificates = tuple(Certificate(str(pair.certificate), str(pair.key)) for pair in pairs)
    with hosting(tls=TlsSettings(certificates, implicit=(("127.0.0.1", 0),))) as server:
        yield server


def under_tls(control: Control, name: str | None) -> str:
    """Put TLS on the control connection; the name in the certificate that comes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    assert control.ask("AUTH TLS").code == 234
    connection = context.wrap_socket(control.socket, server_hostname=name)
    control.socket = connection
    certificate = connection.getpeercert(binary_form=True)
    assert certificate is not None
    return next(name for name in ("main.example", "one.example") if name.encode() in certificate)


@pytest.mark.req("S-7151-6")
def test_the_name_that_tls_begins_with_is_the_host(protected: Running) -> None:
    with protected.connect() as control:
        assert under_tls(control, "one.example") == "one.example"
        assert log_in(control, "secret of one") == 230
        assert control.fetch("NLST") == b"of-one\r\n"


@pytest.mark.req("S-7151-6")
def test_host_must_name_what_tls_began_with(protected: Running) -> None:
    with protected.connect() as control:
        assert under_tls(control, "One.Example") == "one.example"
        assert control.codes("HOST two.example", "HOST main.example", "HOST 127.0.0.1") == [504, 504, 504]
        assert control.ask("HOST one.example").text == "One.\nWelcome."
        assert log_in(control, "secret of one") == 230


@pytest.mark.req("S-7151-6")
def test_a_host_before_auth_chooses_the_certificate(protected: Running) -> None:
    for name in ("one", "two"):
        with protected.connect() as control:
            assert control.ask(f"HOST {name}.example").code == 220
            assert under_tls(control, None) == ("one.example" if name == "one" else "main.example")
            assert log_in(control, f"secret of {name}") == 230


@pytest.mark.req("S-7151-6", "S-7151-5")
def test_rein_ends_tls_and_the_host_with_it(protected: Running) -> None:
    with protected.connect() as control:
        under_tls(control, "one.example")
        assert log_in(control, "secret of one") == 230
        assert control.ask("REIN").code == 220
        assert isinstance(control.socket, ssl.SSLSocket)
        control.socket = control.socket.unwrap()
        assert log_in(control) == 230


@pytest.mark.req("S-7151-6")
def test_under_implicit_tls(protected: Running) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.create_connection(protected.server.addresses[-1], DEADLINE)
    with Control(context.wrap_socket(plain, server_hostname="one.example")) as control:
        assert control.read().code == 220
        assert control.codes("HOST two.example", "HOST one.example") == [504, 220]
        assert log_in(control, "secret of one") == 230
        assert control.ask("REIN").text == "One.\nWelcome."
        assert log_in(control, "secret of one") == 230


@pytest.mark.req("S-7151-3", "S-7151-6")
def test_a_host_that_is_not_available_by_its_name_in_tls(protected: Running) -> None:
    with protected.connect() as control:
        under_tls(control, "closed.example")
        assert control.ask("USER me").code == 421
        assert control.at_end()


@pytest.mark.req("S-7151-5")
def test_an_unknown_name_in_tls_leaves_the_server_itself(protected: Running) -> None:
    with protected.connect() as control:
        assert under_tls(control, "nobody.example") == "main.example"
        assert control.ask("HOST nobody.example").code == 504
        assert log_in(control) == 230
