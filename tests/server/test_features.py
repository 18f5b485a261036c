"""FEAT, OPTS, HELP and the commands that must be there at all."""

from __future__ import annotations

import re

import pytest

from fairlead.proto.features import feature_reply, parse_features
from fairlead.server.registry import COMMANDS, SITE
from tests.server.session import Control, Running

MANDATORY = (
    "ABOR ACCT ALLO APPE CWD DELE HELP LIST MODE NLST NOOP PASS PASV PORT QUIT REIN REST RETR RNFR RNTO SITE STAT STOR"
    " STRU TYPE USER"
).split()
OPTIONAL = "CDUP MKD PWD RMD STOU SYST XCUP XCWD XMKD XPWD XRMD".split()


@pytest.mark.req("S-2389-FEAT-1", "S-3659-REST-6", "S-2640-UTF-1", "S-3659-TVFS-1", "S-5797-3", "S-3659-FEAT-1")
def test_feat_lists_the_extensions_each_on_a_line_of_its_own(control: Control) -> None:
    reply = control.ask("FEAT")
    assert reply.code == 211
    raw = bytes(control.raw).rpartition(b"211-")[2].decode().split("\r\n")
    assert raw[-2].startswith("211 ")
    lines = raw[1:-2]
    assert all(re.fullmatch(r" [!-~]+( [ -~\t]+)?", line) for line in lines)
    assert set(lines) >= {" EPRT", " EPSV", " MDTM", " MFMT", " REST STREAM", " SIZE", " TVFS", " UTF8"}
    assert len([line for line in lines if line.startswith(" MLST ")]) == 1
    labels = [line.split()[0] for line in lines]
    assert len(labels) == len(set(labels))
    assert not {"FEAT", "OPTS", "MLSD", "BASE", "HIST", "SECU", "NAT6"} & set(labels)


@pytest.mark.req("S-2389-FEAT-2")
def test_no_features_make_a_reply_of_one_line() -> None:
    assert len(feature_reply(()).lines) == 1
    assert feature_reply(()).code == 211


@pytest.mark.req("S-2389-FEAT-3")
@pytest.mark.parametrize("argument", ["x", "MLST", " ", "ALL"])
def test_feat_takes_no_argument(control: Control, argument: str) -> None:
    assert control.ask(f"FEAT {argument}").code == 501


@pytest.mark.req("S-2389-FEAT-4")
def test_what_feat_lists_is_served_and_what_is_served_is_listed(control: Control) -> None:
    features = parse_features(control.ask("FEAT"))
    for label in features.keys() - {"TVFS", "UTF8"}:
        assert control.ask(label).code not in {500, 502}, label
    never = {"ADAT", "MIC", "CONF", "ENC"}  # TLS has no use for them
    under_tls = {"AUTH", "PBSZ", "PROT", "CCC", "SSCN", "CPSV"}  # listed where there is a certificate
    base = {*MANDATORY, *OPTIONAL, "FEAT", "OPTS", "MLSD", "PRET", "LPRT", "LPSV"}  # RFC 1639 is older than FEAT
    assert COMMANDS.keys() - base - never - under_tls == features.keys() - {"TVFS", "UTF8", "REST", "MODE"}


@pytest.mark.req("S-2389-FEAT-5")
def test_feat_is_answered_before_login_and_shows_the_options_that_are_set(running: Running) -> None:
    with running.connect() as early:
        before = early.ask("FEAT")
        assert before.code == 211
        assert "MLST type*;size*;" in before.text
        assert early.ask("OPTS MLST size;").code == 200
        assert "MLST type;size*;modify;" in early.ask("FEAT").text
        assert early.codes("USER me", "PASS secret") == [331, 230]
        assert "MLST type;size*;modify;" in early.ask("FEAT").text


@pytest.mark.req("S-2389-OPTS-1", "S-DF-UTF-4")
@pytest.mark.parametrize(
    "command",
    ["OPTS UTF8 ON", "OPTS UTF-8 ON", "OPTS UTF8", "OPTS UTF-8", "opts utf8 on", "OPTS utf8 On", "OPTS MLST type;"],
)
def test_options_that_are_known_are_set(running: Running, command: str) -> None:
    with running.connect() as control:
        assert control.ask(command).code == 200
    with running.login() as control:
        assert control.ask(command).code == 200


@pytest.mark.req("S-2389-OPTS-1", "S-2389-OPTS-2", "S-2389-OPTS-3", "S-DF-UTF-4")
@pytest.mark.parametrize(
    "command",
    ["OPTS", "OPTS RETR", "OPTS FEAT", "OPTS OPTS", "OPTS BOGUS x", "OPTS UTF8 MAYBE", "OPTS UTF8 OFF", "OPTS  UTF8",
     "OPTS UTF8 ON x", "OPTS HASH CRC32", "OPTS LIST -a", "OPTS MLST type size"],
)  # fmt: skip
def test_options_that_are_not_known_change_nothing(control: Control, command: str) -> None:
    before = control.ask("FEAT")
    assert control.ask(command).code == 501
    assert control.ask("FEAT") == before


@pytest.mark.req("S-5797-1", "S-5797-2")
@pytest.mark.parametrize("verb", [*MANDATORY, *OPTIONAL])
def test_the_base_commands_are_there(running: Running, verb: str) -> None:
    with running.login() as control:
        assert control.ask(verb).code not in {500, 502}
    assert verb in COMMANDS


@pytest.mark.req("S-5797-2")
def test_smnt_is_known_and_not_served(control: Control) -> None:
    assert control.ask("SMNT /x").code == 502


@pytest.mark.req("S-959-HELP-1")
def test_help_names_every_command_and_explains_each(control: Control) -> None:
    overview = control.ask("HELP")
    assert overview.code == 214
    assert COMMANDS.keys() <= set(overview.text.split())
    for verb in COMMANDS:
        explained = control.ask(f"HELP {verb.lower()}")
        assert explained.code == 214
        assert verb in explained.text
    assert SITE.keys() <= set(control.ask("HELP SITE").text.split())


@pytest.mark.req("S-DF-MISC-1")
@pytest.mark.parametrize("name", ["NcFTP 3.2.6", "x", "é", "a" * 200])
def test_clnt_takes_note_of_a_name(running: Running, name: str) -> None:
    with running.connect() as control:
        assert control.ask(f"CLNT {name}").code == 200


@pytest.mark.req("S-DF-MISC-7")
@pytest.mark.parametrize("command", ["RETR file", "STOR file", "LIST", "MLSD sub", "x"])
def test_pret_is_tolerated(control: Control, command: str) -> None:
    assert control.ask(f"PRET {command}").code == 200
    assert control.fetch("NLST", "PASV") == b""
    assert control.ask("PRET").code == 501


@pytest.mark.req("S-DF-MISC-7")
@pytest.mark.parametrize("command", ["XDUPE 1", "SITE XDUPE", "SITE BOGUS x", "XSTATUS", "BOGUS"])
def test_unknown_commands_do_not_end_the_session(control: Control, command: str) -> None:
    assert control.ask(command).code in {500, 501, 502, 504}
    assert control.ask("NOOP").code == 200


@pytest.mark.req("S-DF-MISC-3")
def test_the_type_may_flip_any_number_of_times(control: Control) -> None:
    for kind in "AIAAII" * 5:
        assert control.ask(f"TYPE {kind}").code == 200
        assert f"TYPE: {kind}" in control.ask("STAT").text
