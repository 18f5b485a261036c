"""TLS on the command line: options, exit codes, and what a person is told."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.certificates import Pair, make
from tests.cli.session import EPSV, TYPE_I, URL, Terminal
from tests.client.script import HOST, LOGIN, NO_FEATURES, Step, data, door, hang_up, on
from tests.client.secure import begin_tls, protect, server_context

Against = Callable[..., Terminal]
PRIVATE = (on("PBSZ 0", "200 ok"), on("PROT P", "200 ok"))
SECURE_URL = URL.replace("ftp:", "ftpes:")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make(tmp_path_factory.mktemp("certificates"), "server", HOST)


@pytest.fixture
def secure(against: Against, pair: Pair) -> Callable[..., Terminal]:
    """Makes a terminal whose server takes AUTH TLS and then plays the given steps."""
    context = server_context(pair, ssl.TLSVersion.TLSv1_3)

    def make(*steps: Step) -> Terminal:
        terminal = against(on("AUTH TLS", "234 go on", begin_tls(context)), *steps)
        terminal.play.declines_tls = False
        return terminal

    return make


def listing(pair: Pair) -> tuple[Step, ...]:
    context = server_context(pair, ssl.TLSVersion.TLSv1_3)
    shown = on("LIST", "150 go", data(b"-rw-r--r-- 1 me us 6 Jan 1 2024 f\r\n"), "226 done")
    return *LOGIN, *PRIVATE, *NO_FEATURES, on("EPSV", door(5001, protect(context)), "229 ok (|||5001|)"), shown


@pytest.mark.req("C-4217-TLS-3")
def test_certificate_that_nobody_vouches_for(secure: Against) -> None:
    server = secure()
    assert server.run("ls", SECURE_URL) == 3
    assert server.err.count("\n") == 1
    for word in (HOST, "self-signed certificate", "(--ca FILE)", "(--pin SHA256)", "(--tofu)"):
        assert word in server.err
    assert "secret" not in server.err


@pytest.mark.req("C-4217-TLS-3", "U-DF-9")
@pytest.mark.parametrize("option", ["ca", "pin", "insecure"])
def test_certificate_that_the_user_vouches_for(secure: Against, pair: Pair, option: str) -> None:
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())).hexdigest()
    options = {"ca": ["--ca", str(pair.certificate)], "pin": ["--pin", digest], "insecure": ["--insecure"]}
    server = secure(*listing(pair))
    assert server.run("ls", "-d", *options[option], SECURE_URL) == 0
    assert b" f\n" in server.out
    assert f"certificate SHA-256 {digest}" in server.err
    assert "STATUS  TLS on the data connection: TLSv1.3" in server.err


def test_certificate_that_is_not_the_pinned_one_is_no_matter_of_options(secure: Against) -> None:
    server = secure()
    assert server.run("ls", "--pin", "0" * 64, SECURE_URL) == 3
    assert "somebody may be in between" in server.err
    assert "--tofu" not in server.err


@pytest.mark.req("C-4217-TLS-1")
@pytest.mark.parametrize("arguments", [("--tls", "require", URL), (SECURE_URL,)])
def test_no_login_without_tls_where_it_is_required(against: Against, arguments: tuple[str, ...]) -> None:
    server = against(on("AUTH TLS", "502 what?"))
    server.play.declines_tls = False
    assert server.run("ls", *arguments) == 3
    assert "refuses TLS and nothing goes in clear" in server.err
    assert "(--tls off)" in server.err
    assert server.play.heard == ["AUTH TLS"]


def test_tls_off_asks_for_none(against: Against) -> None:
    server = against(*LOGIN, *NO_FEATURES, EPSV, on("LIST", "150 go", data(b""), "226 done"))
    assert server.run("ls", "-d", "--tls", "off", URL) == 0
    assert "AUTH" not in server.err


@pytest.mark.req("C-4217-TLS-4")
@pytest.mark.parametrize(
    ("reply", "advice"), [("521 no", "do not turn TLS off"), ("522 no", "session"), ("534 no", "policy asks for TLS")]
)
def test_codes_of_tls_are_explained(against: Against, reply: str, advice: str) -> None:
    server = against(*LOGIN, *NO_FEATURES, TYPE_I, on("SIZE f", "213 6"), EPSV, on("RETR f", reply))
    assert server.run("get", f"{URL}/f") == 1
    assert advice in server.err


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ((on("USER me", "530 Non-anonymous sessions must use encryption"),), 4),
        ((on("USER me", "421-No cleartext sessions.\r\n421 Reconnect using TLS", hang_up),), 3),
    ],
    ids=["vsftpd", "Pure-FTPd"],
)
def test_login_in_clear_that_is_refused_for_that_is_explained(
    against: Against, steps: tuple[Step, ...], status: int
) -> None:
    server = against(*steps)
    assert server.run("ls", "--tls", "off", "--retries", "0", URL) == status
    assert "the server wants TLS: do not turn it off (--tls)" in server.err
    assert "?" not in server.err


@pytest.mark.req("C-4217-CCC-1")
def test_refused_ccc_is_told(secure: Against, pair: Pair) -> None:
    server = secure(*LOGIN, *PRIVATE, *NO_FEATURES, on("CCC", "534 not here"))
    assert server.run("ls", "--ccc", "--ca", str(pair.certificate), SECURE_URL) == 1
    assert "534 not here" in server.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--pin", "abc"), "64 hexadecimal digits"),
        (("--tls", "perhaps"), "invalid choice"),
        (("--tls", "off", "ftps://host/"), "contradict"),
    ],
)
def test_what_makes_no_sense(against: Against, arguments: tuple[str, ...], said: str) -> None:
    server = against()
    assert server.run("ls", *arguments, *([] if "ftps" in arguments[-1] else [URL])) == 2
    assert said in server.err


def test_file_of_authorities_that_is_not_there(secure: Against, tmp_path: Path) -> None:
    server = secure()
    assert server.run("ls", "--ca", str(tmp_path / "none.pem"), SECURE_URL) == 2
    assert "none.pem" in server.err


@pytest.mark.req("C-4217-TLS-3")
@pytest.mark.parametrize("named", [True, False])
def test_certificate_is_trusted_on_first_use(
    against: Against, pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, named: bool
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("FAIRLEAD_NO_MEMORY", raising=False)
    file = tmp_path / "mine" if named else tmp_path / "fairlead/known_hosts"
    options = ("--known-hosts", str(file)) if named else ("--tofu",)
    context = server_context(pair, ssl.TLSVersion.TLSv1_3)

    def ls(*steps: Step) -> tuple[int, str]:
        terminal = against(on("AUTH TLS", "234 go on", begin_tls(context)), *steps)
        terminal.play.declines_tls = False
        return terminal.run("ls", *options, SECURE_URL), terminal.err

    code, said = ls(*listing(pair))
    assert (code, said.count("\n")) == (0, 1)
    assert f"{HOST}:21 was not known; its certificate, sha256:" in said
    assert f"is remembered in {file} as the only one" in said
    assert ls(*listing(pair)) == (0, "")
    file.write_text(file.read_text().replace("sha256:", "sha256:0000")[:-5] + "\n")
    code, said = ls()
    assert code == 3
    assert f"{file}, line 1, has sha256:0000" in said


@pytest.mark.parametrize("other", [("--insecure",), ("--pin", "ab" * 32)])
def test_trust_is_asked_for_once(against: Against, other: tuple[str, ...]) -> None:
    server = against()
    assert server.run("ls", "--tofu", *other, SECURE_URL) == 2
    assert "say twice whom to trust" in server.err


def test_certificates_need_a_place(against: Against, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "nowhere")
    server = against()
    assert server.run("ls", "--tofu", SECURE_URL) == 2
    assert "no home directory to remember certificates in; name a file with --known-hosts" in server.err
