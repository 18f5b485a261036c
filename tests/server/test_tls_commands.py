"""The security commands of RFC 2228, as TLS has a use for them."""

from __future__ import annotations

import re
import ssl
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.proto.features import parse_features
from fairlead.server.registry import COMMANDS
from fairlead.storage.local import LocalStorage
from tests.certificates import Pair
from tests.server.secure import connect, login, protected
from tests.server.session import Running

PAYLOAD = b64encode(b"DELE kept\r\n").decode()


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
def liberal(storage: LocalStorage, pair: Pair) -> Iterator[Running]:
    """Where data connections of third parties are served."""
    with protected(storage, pair, allow_fxp=True) as server:
        yield server


@pytest.mark.req("S-ERR-1")
@pytest.mark.parametrize("line", ["AUTH TLS", "ADAT x", "PBSZ 0", "PROT P", "CCC", "MIC x", "CONF x", "ENC x"])
def test_without_a_certificate_there_is_no_protection(running: Running, line: str) -> None:
    with running.connect() as control:
        assert control.ask(line).code == 502


@pytest.mark.parametrize("line", ["SSCN", "SSCN ON", "CPSV"])
def test_without_a_certificate_no_server_is_called_under_tls(running: Running, line: str) -> None:
    with running.login() as control:
        assert control.ask(line).code == 502


@pytest.mark.req("S-4217-FEAT-1", "S-2389-FEAT-4", "S-2389-FEAT-5", "S-5797-3")
def test_what_there_is_is_listed(running: Running, secured: Running, context: ssl.SSLContext) -> None:
    listed = {"AUTH": "TLS", "PBSZ": "", "PROT": "", "CCC": "", "SSCN": "", "CPSV": ""}
    with running.connect() as control:
        assert not listed.keys() & parse_features(control.ask("FEAT")).keys()
    with connect(secured, context) as control:
        assert listed.items() <= parse_features(control.ask("FEAT")).items()
        control.auth()
        reply = control.ask("FEAT")
        assert listed.items() <= parse_features(reply).items()
        assert " AUTH TLS" in reply.lines


@pytest.mark.req("S-2228-AUTH-1", "S-4217-AUTH-1")
@pytest.mark.parametrize("mechanism", ["FOO", "GSSAPI", "KERBEROS_V4", "TLS-X", "TLS ", " TLS", "TLS TLS", "TL\u017f"])
def test_a_mechanism_that_is_not_known(secured: Running, context: ssl.SSLContext, mechanism: str) -> None:
    with connect(secured, context) as control:
        assert control.codes("USER me", "PASS secret", f"AUTH {mechanism}", "PWD") == [331, 230, 504, 257]


@pytest.mark.req("S-2228-AUTH-1", "S-2228-PROT-1", "S-2228-PBSZ-1", "S-959-GRAM-10")
@pytest.mark.parametrize("verb", ["AUTH", "ADAT", "PBSZ", "PROT", "MIC", "CONF", "ENC"])
def test_what_must_have_an_argument(secured: Running, context: ssl.SSLContext, verb: str) -> None:
    with connect(secured, context) as control:
        assert control.ask(verb).code == 501
        control.auth()
        assert control.codes(verb, "CCC x") == [501, 501]


@pytest.mark.req("S-2228-ADAT-1")
def test_tls_takes_no_data_from_adat(secured: Running, context: ssl.SSLContext) -> None:
    with connect(secured, context) as control:
        assert control.codes("ADAT " + PAYLOAD, "ADAT ***") == [503, 503]
        control.auth()
        assert control.codes("ADAT " + PAYLOAD, "NOOP") == [503, 200]


@pytest.mark.req("S-2228-PBSZ-1", "S-4217-PBSZ-1")
def test_the_buffer_size_is_always_0(secured: Running, context: ssl.SSLContext) -> None:
    with connect(secured, context) as control:
        assert control.ask("PBSZ 0").code == 503
        control.auth()
        for size in ("0", "00", "1", "16384", "4294967295"):
            reply = control.ask(f"PBSZ {size}")
            assert (reply.code, reply.text) == (200, "PBSZ=0")


@pytest.mark.req("S-2228-PBSZ-1")
@pytest.mark.parametrize("size", ["4294967296", "99999999999999999999", "-1", "+1", "x", "0x0", "1 2", " 0", "\u0663"])
def test_what_is_no_buffer_size(secured: Running, context: ssl.SSLContext, size: str) -> None:
    with connect(secured, context) as control:
        control.auth()
        assert control.codes(f"PBSZ {size}", "PROT P") == [501, 503]


@pytest.mark.req("S-2228-PROT-1", "S-4217-PROT-2", "S-4217-PROT-3", "S-ERR-3", "S-ERR-7")
def test_the_levels_of_protection(secured: Running, context: ssl.SSLContext) -> None:
    with connect(secured, context) as control:
        assert control.codes("PROT P", "PROT C", "PROT X") == [503, 503, 503]
        control.auth()
        assert control.codes("PROT P", "PROT C") == [503, 503]
        assert control.ask("PBSZ 0").code == 200
        assert control.codes("PROT P", "PROT C", "prot p", "PROT c") == [200, 200, 200, 200]
        assert control.codes("PROT S", "PROT E", "PROT s") == [536, 536, 536]
        assert control.codes("PROT X", "PROT PP", "PROT \u03a1") == [504, 504, 504]


@pytest.mark.req("S-2228-PROT-1", "S-ERR-7")
def test_data_in_clear_are_not_allowed_where_tls_is_required(strict: Running, context: ssl.SSLContext) -> None:
    with connect(strict, context) as control:
        control.auth()
        assert control.codes("PBSZ 0", "PROT C", "PROT P", "PROT C") == [200, 534, 200, 534]


@pytest.mark.req("S-2228-MIC-1", "S-2228-REPL-1")
@pytest.mark.parametrize("verb", ["MIC", "CONF", "ENC"])
def test_what_protected_commands_carry_is_never_run(
    secured: Running, root: Path, context: ssl.SSLContext, verb: str
) -> None:
    (root / "kept").touch()
    with connect(secured, context) as control:
        assert control.codes("USER me", "PASS secret") == [331, 230]
        for argument in (PAYLOAD, "REVMRSBrZXB0", "DELE kept", "***"):
            assert control.ask(f"{verb} {argument}").code == 503
        control.auth()
        control.log_in()
        for argument in (PAYLOAD, "DELE kept", "***"):
            assert control.ask(f"{verb} {argument}").code == 537
        assert not re.search(rb"(?m)^6", control.raw)
    assert (root / "kept").exists()


@pytest.mark.req("S-2228-REPL-1")
def test_no_reply_is_ever_a_protected_one(secured: Running, context: ssl.SSLContext) -> None:
    with login(secured, context) as control:
        for verb in COMMANDS.keys() - {"QUIT", "REIN", "CCC", "PASV", "EPSV", "CPSV", "LPSV", "SITE"}:
            control.ask(f"{verb} x") if COMMANDS[verb].argument.value != "none" else control.ask(verb)
        assert not re.search(rb"(?m)^63[123]", control.raw)


# Server to server


@pytest.mark.req("S-4217-FXP-1")
def test_who_is_the_client_of_tls_can_be_chosen(liberal: Running, context: ssl.SSLContext) -> None:
    with login(liberal, context) as control:
        texts = [control.ask(line).text for line in ("SSCN", "SSCN ON", "sscn", "SSCN off", "SSCN", "sscn on", "SSCN")]
        assert texts == [
            "SSCN:SERVER METHOD", "SSCN:CLIENT METHOD", "SSCN:CLIENT METHOD", "SSCN:SERVER METHOD",
            "SSCN:SERVER METHOD", "SSCN:CLIENT METHOD", "SSCN:CLIENT METHOD",
        ]  # fmt: skip
        assert control.codes("SSCN MAYBE", "SSCN ON OFF") == [501, 501]
        assert control.ask("SSCN").text == "SSCN:CLIENT METHOD"


@pytest.mark.req("S-4217-FXP-1")
def test_another_server_is_served_only_where_third_parties_are(
    secured: Running, liberal: Running, storage: LocalStorage, pair: Pair, context: ssl.SSLContext
) -> None:
    with login(secured, context) as control:
        assert control.codes("SSCN ON", "CPSV", "SSCN OFF", "SSCN") == [504, 504, 200, 200]
    with connect(liberal, context) as control:
        assert control.codes("SSCN ON", "CPSV") == [530, 530]
    with (
        protected(storage, pair, {"resumption": "require"}, allow_fxp=True) as demanding,
        login(demanding, context) as control,
    ):
        assert control.codes("SSCN ON", "CPSV") == [504, 504]


@pytest.mark.req("S-4217-FXP-1", "S-4217-DATA-3")
@pytest.mark.parametrize("how", ["CPSV", "SSCN"])
@pytest.mark.parametrize("sends", [True, False], ids=["it sends", "it receives"])
def test_a_file_goes_from_server_to_server(
    liberal: Running, root: Path, context: ssl.SSLContext, how: str, sends: bool
) -> None:
    """One server listens and is the client of TLS, the other calls and is its server."""
    data = bytes(range(256)) * 4000
    (root / "source").write_bytes(data)
    with login(liberal, context) as passive, login(liberal, context) as active:
        if how == "SSCN":
            assert passive.ask("SSCN ON").code == 200
        reply = passive.ask("CPSV" if how == "CPSV" else "PASV")
        assert reply.code == 227
        assert active.ask(f"PORT {reply.text.split('(')[1].split(')')[0]}").code == 200
        passive.send("RETR source" if sends else "STOR target")
        active.send("STOR target" if sends else "RETR source")
        assert passive.read_codes(2) == [150, 226]
        assert active.read_codes(2) == [150, 226]
    assert (root / "target").read_bytes() == data


@pytest.mark.req("S-4217-FXP-1", "S-4217-DATA-2")
def test_two_servers_of_tls_do_not_come_together(
    storage: LocalStorage, pair: Pair, root: Path, context: ssl.SSLContext
) -> None:
    (root / "source").write_bytes(b"data")
    with (
        protected(storage, pair, allow_fxp=True, data_connect_timeout=0.3) as server,
        login(server, context) as passive,
        login(server, context) as active,
    ):
        reply = passive.ask("PASV")
        assert active.ask(f"PORT {reply.text.split('(')[1].split(')')[0]}").code == 200
        passive.send("RETR source")
        active.send("STOR target")
        assert passive.read_codes(2) == [150, 522]
        assert active.read_codes(2) == [150, 522]
    assert not (root / "target").exists()


@pytest.mark.req("S-2428-EPSV-5")
def test_after_epsv_all_there_is_no_cpsv(liberal: Running, context: ssl.SSLContext) -> None:
    with login(liberal, context) as control:
        assert control.codes("EPSV ALL", "CPSV") == [200, 501]
