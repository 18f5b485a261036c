"""LANG: replies in other languages; and that the catalogues have each text, and no others."""

from __future__ import annotations

import re
import string
import tomllib
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.events import ReplySent
from fairlead.proto.reply import Reply, ReplyParser
from fairlead.server import language as module
from fairlead.server.language import DEFAULT, TAGS, Language, language
from tests.server.session import Control, Running
from tests.server.texts import ERRORS, spoken

OTHERS = [tag for tag in TAGS if tag != DEFAULT]
FILES = Path(module.__file__).with_name("languages")
DATA = {
    ("110", "MARK {0} = {1}"), ("150", "FILE: {0}"), ("150", "STOU"), ("200", "MODE Z LEVEL {0}"),
    ("200", "PBSZ=0"),
    ("200", "Name=Fairlead; Version={0}; OS={1}; CaseSensitive=1; DirSep=/;"), ("200", "SSCN:{0} METHOD"),
    ("211", "TYPE: {0}{1}; STRU: {2}; MODE: {3}"), ("211", "{0}"), ("213", ""), ("213", "{0} {1}"),
    ("213", "{0} {1}-{2} {3} {4}"), ("215", "UNIX Type: L8"), ("250", "{0}"), (ERRORS, "{0}"),
}  # fmt: skip
"""What programs read: the same in every language."""
UNSAID = {
    "The control connection is gone", "address family {0} is not supported", "network protocol {0} is not supported",
    "no address in the 227 reply {0}", "no name follows the facts in {0}", "no port in the 229 reply {0}",
    "{0} is no IP address",
}  # fmt: skip
"""Texts of exceptions that no client is told."""
PLACE = re.compile(r"\{([0-9]+)(?::([dw]))?\}")


@cache
def catalogue(tag: str) -> dict[str, dict[str, str]]:
    with (FILES / f"{tag.lower()}.toml").open("rb") as file:
        texts = tomllib.load(file)["texts"]
    assert isinstance(texts, dict)
    return texts


def without_kinds(key: str) -> str:
    return PLACE.sub(r"{\1}", key)


def places(text: str) -> set[str]:
    return {number for number, _ in PLACE.findall(text.replace("!t}", "}"))}


# The catalogues


def test_each_language_has_a_catalogue() -> None:
    assert {file.stem.upper() for file in FILES.iterdir()} == set(OTHERS)


@pytest.mark.req("S-2640-LANG-4")
@pytest.mark.parametrize("tag", OTHERS)
def test_each_text_is_in_the_catalogue_and_no_others(tag: str) -> None:
    said = {key: place for key, place in spoken().items() if key not in DATA and key[1] not in UNSAID}
    known = {(table, without_kinds(key)) for table, texts in catalogue(tag).items() for key in texts}
    assert {key: said[key] for key in said.keys() - known} == {}, "these texts have no translation"
    assert known - said.keys() == set(), "these texts are said no more"


def test_what_is_the_same_in_every_language_is_said_at_all() -> None:
    said = spoken()
    assert said.keys() >= DATA | {(ERRORS, text) for text in UNSAID}


@pytest.mark.req("S-2640-LANG-4")
@pytest.mark.parametrize("tag", OTHERS)
def test_a_translation_has_the_same_places_and_no_line_ends(tag: str) -> None:
    for table, texts in catalogue(tag).items():
        for key, text in texts.items():
            assert places(key) == places(text), (table, key)
            assert not re.search(r"[\r\n]|\.$|。$", text), (table, key)
            assert text.strip() == text != "", (table, key)


@pytest.mark.parametrize("tag", OTHERS)
def test_a_path_has_one_place_that_nothing_else_can_be_taken_for(tag: str) -> None:
    for table, texts in catalogue(tag).items():
        if table != ERRORS:
            for key in texts:
                assert [kind for _, kind in PLACE.findall(key)].count("") <= 1, (table, key)


# Lines are translated, what is filled in is not

NAMES = st.text(st.sampled_from(string.ascii_letters + ' .:(){}"é日/') | st.characters(), max_size=30)


def value(kind: str, table: str) -> st.SearchStrategy[str]:
    """What may be filled in, texts of the same table among it."""
    if kind == "d":
        return st.integers(0, 10**20).map(str)
    if kind == "w":
        return st.text(string.ascii_letters + string.digits + ".:-", min_size=1)
    hostile = st.sampled_from([without_kinds(key) for key in catalogue("DE")[table]])
    names = NAMES | hostile | st.tuples(NAMES, hostile, NAMES).map("".join)
    return names.map(lambda name: f'"{name}"') if table == "257" else names


FILLED = [(table, key) for table, texts in catalogue("DE").items() if table != ERRORS for key in texts if "{" in key]


@pytest.mark.req("S-2640-LANG-4")
@pytest.mark.parametrize(("table", "key"), FILLED)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_what_is_filled_in_stays_as_it_is(table: str, key: str, data: st.DataObject) -> None:
    values = {number: data.draw(value(kind, table)) for number, kind in PLACE.findall(key)}
    english = PLACE.sub(lambda match: values[match[1]], key)
    for tag in OTHERS:
        translation = catalogue(tag)[table][key]
        if "!t" not in translation:
            translated = re.sub(r"\{([0-9]+)\}", lambda match: values[match[1]], translation)
            assert language(tag)._line(table, english + ".") == translated + language(tag)._stop


@pytest.mark.parametrize("tag", OTHERS)
def test_what_is_in_no_catalogue_stays_as_it_is(tag: str) -> None:
    for reply in (
        Reply(213, "20200101000000"),
        Reply(213, "SHA-256 0-4 0123456789abcdef Transfer complete"),
        Reply(250, "x", " type=file;size=5; /File removed", "x"),
        Reply(250, "x", "  /Directory removed", "x"),
        Reply(227, "Entering Passive Mode (127,0,0,1,200,10)."),
        Reply(229, "Entering Extended Passive Mode (|||6446|)"),
        Reply(522, "Network protocol not supported, use (1,2)"),
        Reply(200, "No such file or directory."),
        Reply(999, "Transfer complete."),
    ):
        assert language(tag).encode(reply) == reply.encode()


def test_a_text_with_places_is_found_and_filled_in_any_order() -> None:
    made = Language(
        "!", {"200": {"{0:d} of {1}": "{1}: {0}"}, "errors": {"Bad": "Schlimm", "It broke: {0}": "Kaputt: {0!t}"}}
    )
    assert made.encode(Reply(200, "5 of 7 of a.")) == b"200 7 of a: 5!\r\n"
    assert made.encode(Reply(200, "x of a.")) == b"200 x of a.\r\n"
    assert made.encode(Reply(550, "It broke: Bad.")) == b"550 Kaputt: Schlimm!\r\n"
    assert made.encode(Reply(550, "  Bad.", "b", "Bad")) == b"550-  Schlimm!\r\nb\r\n550 Schlimm\r\n"
    assert made.encode(Reply(331, "Bad.")) == b"331 Bad.\r\n"


# Over the wire


def feature(control: Control) -> str:
    return next(line for line in control.ask("FEAT").lines if line.startswith(" LANG"))


@pytest.mark.req("S-2640-LANG-3")
def test_the_feature_shows_what_is_chosen(running: Running) -> None:
    with running.connect() as control:
        assert feature(control) == " LANG EN*;DE;FR;ZH"
        for tag in ("FR", "ZH", "DE"):
            assert control.ask(f"LANG {tag}").code == 200
            assert feature(control) == " LANG EN;DE;FR;ZH".replace(tag, f"{tag}*")


@pytest.mark.req("S-2640-LANG-1", "S-2640-LANG-4", "S-959-AUTHZ-2")
@pytest.mark.parametrize(
    ("argument", "text", "noop"),
    [
        ("", "Replies are in English from now on.", "NOOP ok."),
        ("en", "Replies are in English from now on.", "NOOP ok."),
        ("EN-us", "Replies are in English from now on.", "NOOP ok."),
        ("de", "Antworten sind von nun an auf Deutsch.", "NOOP in Ordnung."),
        ("De-AT", "Antworten sind von nun an auf Deutsch.", "NOOP in Ordnung."),
        ("fr", "Les réponses sont désormais en français.", "NOOP bien reçu."),
        ("FR-ca", "Les réponses sont désormais en français.", "NOOP bien reçu."),
        ("zh", "此后以中文答复。", "NOOP 成功。"),
        ("zh-Hans-CN", "此后以中文答复。", "NOOP 成功。"),
    ],
)
def test_replies_come_in_the_language_that_is_chosen(running: Running, argument: str, text: str, noop: str) -> None:
    with running.connect() as control:
        reply = control.ask(f"LANG {argument}".rstrip())
        assert (reply.code, reply.text) == (200, text)
        assert (control.ask("NOOP").code, control.ask("NOOP").text) == (200, noop)


@pytest.mark.req("S-2640-LANG-1")
def test_without_a_tag_the_language_is_the_default_again(control: Control) -> None:
    assert control.codes("LANG fr", "LANG") == [200, 200]
    assert control.ask("NOOP").text == "NOOP ok."


@pytest.mark.req("S-2640-LANG-2", "S-ERR-2")
@pytest.mark.parametrize(
    ("argument", "code"),
    [("abcdefghi", 501), ("fr_FR", 501), ("fr-", 501), ("f r", 501), ("es-419", 501), ("\u00e9", 501), ("xx", 504),
     ("es", 504), ("x-klingon", 504), ("english", 504)],
)  # fmt: skip
def test_a_language_that_is_refused_changes_nothing(control: Control, argument: str, code: int) -> None:
    assert control.codes("LANG fr", f"LANG {argument}") == [200, code]
    assert control.ask("NOOP").text == "NOOP bien reçu."


@pytest.mark.req("S-2640-LANG-4", "S-959-REIN-1")
@pytest.mark.parametrize("again", ["REIN", "HOST localhost"])
def test_rein_and_host_reset_it(running: Running, again: str) -> None:
    with running.connect() as control:
        assert control.ask("LANG fr").code == 200
        reply = control.ask(again)
        assert (reply.code, reply.text) == (220, "Fairlead ready.")
        assert control.ask("NOOP").text == "NOOP ok."
        assert feature(control).startswith(" LANG EN*")


@pytest.mark.req("S-2640-LANG-4")
def test_the_language_is_that_of_one_session_and_outlives_a_login(running: Running) -> None:
    with running.connect() as control, running.connect() as other:
        assert control.ask("LANG de").code == 200
        assert control.ask("USER me").text == "Bitte senden Sie das Passwort."
        assert control.ask("PASS secret").text == "Angemeldet."
        assert other.ask("NOOP").text == "NOOP ok."


SCRIPT = """\
RETR none|CWD none|MKD d|MKD d|RNFR d|RNTO e|RMD e|DELE none|TYPE I|TYPE X|STRU F|MODE S|REST 5|RANG 0 3|PORT 1,2,3\
|EPRT x|STAT|HELP|HELP RETR|HELP NOOP|HELP none|SITE HELP|SITE BOGUS|SITE IDLE|SITE UMASK|SITE CHMOD 9 x|SITE CPTO x\
|ALLO 5|ACCT x|NOOP|BOGUS|SMNT x|CWD|CDUP x|ABOR|MLST none|HASH none|HASH file|XCRC file|MFF x=1; file|MDTM none\
|COMB x|DSIZ none|RMDA none|THMB|CSID x|CLNT x|OPTS x|OPTS UTF8 ON|LANG xx|HOST x|PASS x|PWD|CWD /|SITE CPFR file\
|SITE CPTO copy|SITE SYMLINK a b|SITE WHO|DELE copy|MFMT x file|AUTH x|PROT P|EPSV 3|LPRT 1|CCC|USER me|PASS wrong\
|USER me|PASS secret|SITE UTIME x|QUIT"""


SAME = re.compile(
    r"\d{3}$|\d+$|UNIX Type|TYPE: |type=|SHA-256 |[0-9A-F]{8}$|Modify=|Name=|Network |Supported |Entering |Features"
    r"|Syntax: |[A-Z][A-Z0-9]{2,7}\*?( |$)|MD5|MLST|Fairlead ready"
)
"""How lines begin that are the same in every language."""


@pytest.mark.req("S-2640-LANG-4")
@pytest.mark.parametrize("tag", OTHERS)
def test_a_whole_session_is_in_the_language(running: Running, root: Path, tag: str) -> None:
    (root / "file").write_bytes(b"12345")
    with running.login() as control:
        assert control.ask(f"LANG {tag}").code == 200
        before = len(running.recorded)
        replies = [control.ask(line) for line in SCRIPT.split("|")]
    english = [event for event in running.recorded[before:] if isinstance(event, ReplySent)]
    assert len(replies) == len(english)
    for line, reply, event in zip(SCRIPT.split("|"), replies, english, strict=True):
        assert reply.code == event.code
        for said, plain in zip(reply.lines, event.text.split("\n"), strict=True):
            assert said != plain or SAME.match(plain.strip(" ")), (line, plain)


@pytest.mark.req("S-2640-LANG-4", "S-959-STAT-2")
def test_paths_and_data_stay_as_they_are(control: Control, root: Path) -> None:
    (root / "Transfer complete.").write_bytes(b"1")
    (root / "d").mkdir()
    (root / "d" / "End of status.").write_bytes(b"2")
    assert control.ask("LANG fr").code == 200
    assert control.ask("MKD File removed").text == '"/File removed" créé.'
    assert control.ask("CWD File removed").text == "Le répertoire de travail est maintenant /File removed"
    assert control.ask("PWD").text == '"/File removed" est le répertoire de travail.'
    assert control.ask("CWD /").code == 250
    assert control.ask("MLST Transfer complete.").lines[1].endswith(" /Transfer complete.")
    assert control.ask("HASH Transfer complete.").text.endswith(" Transfer complete.")
    status = control.ask("STAT d")
    assert status.lines[0] == "État de d :"
    assert status.lines[1].endswith(" End of status.")
    assert status.lines[2] == "Fin de l'état."
    assert control.fetch("NLST d") == b"d/End of status.\r\n"
    with control.passive():
        assert control.ask("RETR Transfer complete.").text == "Envoi de Transfer complete. (1 octets)."
        assert control.read().text == "Transfert terminé."


@pytest.mark.req("S-2640-LANG-4", "S-3659-TEL-3")
def test_names_that_are_not_utf8_stay_as_they_are(control: Control) -> None:
    assert control.ask("LANG zh").code == 200
    control.send(b"MKD \xff\xff\r\0\xe9")
    assert control.read().code == 257
    expected = b'257 "/\xff\xff\r\0\xe9" ' + "已创建。\r\n".encode()
    assert bytes(control.raw).endswith(expected)


def test_a_name_made_to_match_nearly_costs_little_time() -> None:
    chosen = language("DE")
    for table, texts in catalogue("DE").items():
        for key in texts:
            first, *between, _ = [*PLACE.split(key)[::3], ""]
            near = first + "".join(f"1{literal}" for literal in between) * (8000 // (len(key) + 1)) + "\n"
            assert chosen.encode(Reply(550 if table == ERRORS else int(table), near, ""))


def test_every_line_of_every_language_can_be_sent() -> None:
    for tag in OTHERS:
        for table, texts in catalogue(tag).items():
            code = 550 if table == ERRORS else int(table)
            for key in texts:
                if "{" not in key:
                    (reply,) = ReplyParser().feed(language(tag).encode(Reply(code, key)))
                    assert reply == Reply(code, texts[key])
