"""Every command in every state with good, missing and malformed arguments: each reply is one the documents know."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.proto.sequences import SEQUENCES, TRANSFERS, legal
from fairlead.server.registry import COMMANDS, NOT_IMPLEMENTED
from fairlead.storage.base import Intent
from fairlead.storage.memory import MemoryStorage
from tests.server.session import Control, Running, receive, serving

GOOD = {
    "ACCT": ["budget"], "ALLO": ["1", "1 R 1"], "APPE": ["file", "new"], "AVBL": ["below"], "CLNT": ["x"],
    "COMB": ["fresh file", "file file"], "CSID": ["Name=x; Version=1;"], "CWD": ["below", "..", "/", "~"],
    "DELE": ["file"], "DSIZ": ["below", "/"], "EPRT": ["|1|127.0.0.1|9999|"], "EPSV": ["1", "2", "ALL"],
    "HASH": ["file"], "HELP": ["RETR", "SITE"], "HOST": ["localhost"], "LANG": ["fr", "en-GB"],
    "LIST": ["below", "file", "-la", "*", "-la below"], "LPRT": ["4,4,127,0,0,1,2,39,15"], "MD5": ["file"],
    "MDTM": ["file", "20200101000000 file"], "MFF": ["Modify=20200101000000;UNIX.mode=0600; file"],
    "MFMT": ["20200101000000 file"], "MKD": ["fresh"], "MLSD": ["below"], "MLST": ["file", "below"],
    "MMD5": ["file, file"], "MODE": ["S"], "NLST": ["below", "f*"],
    "OPTS": ["UTF8 ON", "MLST type;size;", "HASH MD5"], "PASS": ["secret"], "PORT": ["127,0,0,1,39,15"],
    "RANG": ["0 2", "3 99", "1 0"], "REST": ["3", "99"], "RETR": ["file"], "RMD": ["below"],
    "RMDA": ["below", "file"], "RNFR": ["file"], "RNTO": ["fresh"],
    "SITE": ["HELP", "CHMOD 644 file", "UTIME 202001010000 file", "SYMLINK file link", "CPFR file", "CPTO fresh",
             "UMASK", "UMASK 027", "IDLE", "IDLE 60", "WHO"],
    "SIZE": ["file"], "STAT": ["file", "below"], "STOR": ["file", "new"], "STOU": ["hint"], "STRU": ["F"],
    "THMB": ["JPEG 9 9 file"], "TYPE": ["A", "I", "L 8"], "USER": ["me", "anonymous"], "XCRC": ["file", "file 1 3"],
}  # fmt: skip
ALIASES = {"XCWD": "CWD", "XMKD": "MKD", "XRMD": "RMD"} | dict.fromkeys(
    ["XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512"], "XCRC"
)
BAD = [
    "", " ", "missing", "missing/x", "file/x", "below", "/", "-1", "99999999999999999999", "x" * 300, "a b c", "\0",
    "*", "[", "../../..", '"', "\udcff", "%00", "|1|", "1,2,3", "20201340000000 x", "CHMOD 9 x", "UTIME x",
]  # fmt: skip
VERBS = sorted({*COMMANDS, *NOT_IMPLEMENTED, "FOO"})


class Fixed(MemoryStorage):
    """A tree that is as it was at each new beginning."""

    def __init__(self) -> None:
        super().__init__()
        self.begin_anew()

    def begin_anew(self) -> None:
        for entries in (self._tree.root.entries, self._tree.root.partials):
            entries.clear()
        self.mkdir("/below")
        upload = self.create("/file", intent=Intent.REPLACE, owner="me")
        upload.write(b"content")
        upload.commit()


@pytest.fixture(scope="module")
def storage() -> Fixed:
    return Fixed()


@pytest.fixture(scope="module")
def shared(storage: Fixed) -> Iterator[Running]:
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True, anonymous=True)
    with serving(storage, accounts=accounts, login_delay=0, data_connect_timeout=0.05) as running:
        yield running


def logged_in(running: Running, *lines: str) -> Control:
    control = running.login()
    for line in lines:
        assert control.ask(line).kind in {2, 3}, line
    return control


STATES: dict[str, Callable[[Running], Control]] = {
    "before login": lambda running: running.connect(),
    "after USER": lambda running: after(running.connect(), "USER me"),
    "after login": logged_in,
    "after REST": lambda running: logged_in(running, "REST 3"),
    "after REST beyond the end": lambda running: logged_in(running, "REST 99"),
    "after REST beyond the end of a text": lambda running: logged_in(running, "TYPE A", "REST 99"),
    "after RANG": lambda running: logged_in(running, "RANG 1 3"),
    "after RANG beyond the end": lambda running: logged_in(running, "RANG 98 99"),
    "after RNFR": lambda running: logged_in(running, "RNFR file"),
    "after SITE CPFR": lambda running: logged_in(running, "SITE CPFR file"),
    "after HOST": lambda running: after(running.connect(), "HOST localhost"),
    "after LANG": lambda running: logged_in(running, "LANG zh"),
    "after EPSV ALL": lambda running: logged_in(running, "EPSV ALL"),
    "after REIN": lambda running: logged_in(running, "REIN"),
    "after a failed RNTO": lambda running: after(running.login(), "RNTO x"),
    "as anonymous": lambda running: running.login("anonymous"),
}


def after(control: Control, line: str) -> Control:
    control.ask(line)
    return control


def good_arguments(verb: str) -> list[str]:
    return GOOD.get(ALIASES.get(verb, verb), [])


def judge(control: Control, verb: str, argument: str, data: socket.socket | None = None) -> str:
    """Send a command, see its replies and the one to NOOP after it; what is wrong with them, if anything."""
    control.send(f"{verb} {argument}" if argument else verb)
    codes = [control.read().code]
    if not legal(verb, codes[0]):
        return f"{codes[0]} is no reply to it"
    if codes[0] < 200:
        if data is not None:
            # A transfer that failed may have ended it; where the machine is busy, the port may have expired.
            with suppress(OSError):
                data.shutdown(socket.SHUT_WR)
                receive(data)
        codes.append(control.read().code)
        if not legal(verb, codes[1], preliminary_seen=True):
            return f"{codes[1]} is no reply to it after {codes[0]}"
    if codes[-1] in {221, 421}:
        return "" if control.at_end() else "the connection stays open"
    code = control.ask("NOOP").code
    return "" if code == 200 else f"after it NOOP was answered with {code}"


TABLE = [f"S-959-T-{number}" for number in range(1, 22)]


@pytest.mark.long
@pytest.mark.req(*TABLE, "S-959-GRAM-13", "S-959-GRAM-1", "S-959-GRAM-4")
@pytest.mark.parametrize("state", STATES)
def test_every_reply_is_one_the_documents_know(shared: Running, storage: Fixed, state: str) -> None:
    wrong = []
    for verb in VERBS:
        bad = BAD if state == "after login" and verb in COMMANDS else ["", "missing"]
        for argument in [*good_arguments(verb), *bad]:
            storage.begin_anew()
            with STATES[state](shared) as control:
                if fault := judge(control, verb, argument):
                    wrong.append((verb, argument, fault))
    assert wrong == []


@pytest.mark.long
@pytest.mark.req("S-959-T-7", "S-959-T-8", "S-959-T-9", "S-959-T-10", "S-959-GRAM-13", "S-959-GRAM-4")
@pytest.mark.parametrize("before", [[], ["TYPE A"], ["REST 3"], ["REST 99"], ["TYPE A", "REST 99"], ["RANG 1 3"],
                                    ["RANG 98 99"], ["RNFR file"]])  # fmt: skip
@pytest.mark.parametrize("user", ["me", "anonymous"])
def test_transfers_on_a_good_data_connection_are_answered_from_the_table(
    shared: Running, storage: Fixed, user: str, before: list[str]
) -> None:
    wrong = []
    for verb in sorted(TRANSFERS & set(COMMANDS)):
        for argument in [*good_arguments(verb), *BAD]:
            storage.begin_anew()
            with shared.login(user) as control, control.passive() as data:
                control.codes(*before)
                if fault := judge(control, verb, argument, data):
                    wrong.append((verb, argument, fault))
    assert wrong == []


@pytest.mark.req(*TABLE, "S-959-GRAM-13", "S-959-GRAM-9", "S-DF-MISC-2")
def test_every_command_during_a_transfer_has_its_reply_in_its_turn(shared: Running, storage: Fixed) -> None:
    at_once = {"NOOP", "STAT"}
    wrong = []
    for verb in VERBS:
        for argument in ["", *good_arguments(verb)]:
            storage.begin_anew()
            with shared.login() as control, control.passive() as data:
                assert control.ask("STOR other").code == 150
                control.send(f"{verb} {argument}" if argument else verb)
                if verb in at_once and not argument:
                    first = control.read().code
                    data.close()
                    final = control.read().code
                elif verb == "ABOR":
                    final, first = control.read_codes(2)
                else:
                    data.close()
                    final, first = control.read_codes(2)
                if final != (426 if verb == "ABOR" else 226) or not legal(verb, first):
                    wrong.append((verb, argument, f"{final} and {first}"))
                if first < 200 and not legal(verb, control.read().code, preliminary_seen=True):
                    wrong.append((verb, argument, "after 1yz"))
                if first in {221, 421}:
                    assert control.at_end()
                elif control.ask("NOOP").code != 200:
                    wrong.append((verb, argument, "out of step"))
    assert wrong == []


@pytest.mark.req("S-959-T-7", "S-959-T-8", "S-959-T-9", "S-959-T-10", "S-959-DC-1")
@pytest.mark.parametrize(
    ("line", "data"),
    [("STOR new", b"content"), ("STOR file", b""), ("APPE file", b"content"), ("STOU", b"content"), ("RETR file", None),
     ("LIST", None), ("NLST", None), ("MLSD", None)],
)  # fmt: skip
def test_a_good_transfer_has_a_preliminary_and_a_final_reply(
    shared: Running, storage: Fixed, line: str, data: bytes | None
) -> None:
    storage.begin_anew()
    with shared.login() as control:
        if data is None:
            control.fetch(line)
        else:
            assert control.store(line, data).code in {226, 250}


SUCCESS = {
    "CWD below": 250, "CDUP": 250, "TYPE I": 200, "MODE S": 200, "STRU F": 200, "REST 1": 350, "RNFR file": 350,
    "RNTO fresh": 250, "DELE fresh": 250, "MKD fresh": 257, "RMD fresh": 250, "PWD": 257, "ABOR": 226, "STAT": 211,
    "STAT below": 212, "HELP": 214, "SITE HELP": 214, "NOOP": 200, "SYST": 215, "PASV": 227, "EPSV": 229,
    "PORT 127,0,0,1,39,15": 200, "ALLO 1": 202, "SIZE file": 213, "MDTM file": 213, "FEAT": 211, "OPTS UTF8 ON": 200,
    "REIN": 220, "USER me": 331, "PASS secret": 230, "QUIT": 221,
}  # fmt: skip


@pytest.mark.req(*[name for name in TABLE if name not in {"S-959-T-7", "S-959-T-8", "S-959-T-9", "S-959-T-10"}])
def test_success_has_the_code_the_standard_gives_it(shared: Running, storage: Fixed) -> None:
    storage.begin_anew()
    assert SUCCESS.keys() >= {"QUIT"}
    with shared.login() as control:
        codes = {}
        for line in SUCCESS:
            if line == "SIZE file":
                storage.begin_anew()
            codes[line] = control.ask(line).code
        assert codes == SUCCESS


@pytest.mark.req("S-959-GRAM-13", "S-5797-1")
def test_every_command_that_is_served_is_in_the_table() -> None:
    assert set(COMMANDS) <= set(SEQUENCES)
    assert {verb for verb, spec in COMMANDS.items() if spec.data} == TRANSFERS & set(COMMANDS)
    base = (
        "ABOR ACCT ALLO APPE CWD DELE HELP LIST MODE NLST NOOP PASS PASV PORT QUIT REIN REST RETR RNFR RNTO SITE STAT"
    )
    assert {*base.split(), "STOR", "STRU", "TYPE", "USER"} <= set(COMMANDS)


# The error that is told (conformance: error-code choice)

ERRORS = {
    "S-ERR-1": {"FOO": 500, "SMNT x": 502, "MFCT x": 502, "SITE FOO": 501},
    "S-ERR-2": {
        "TYPE L 256": 501, "MODE X": 501, "PORT 127,0,0,1,0,22": 504, "CWD": 501, "REST x": 501, "TYPE X": 501,
        "MKD \0": 501, "PORT 1,2,3": 501, "EPRT x": 501, "MFMT x file": 501, "OPTS x": 501, "PWD x": 501,
    },
    "S-ERR-3": {"PASS x": 503, "RNTO x": 503},
    "S-ERR-4": {
        "RETR missing": 550, "CWD missing": 550, "CWD file": 550, "DELE missing": 550, "DELE below": 550,
        "RNFR missing": 550, "MKD below": 550, "MKD missing/x": 550, "RMD missing": 550, "RMD file": 550,
        "RMD full": 550, "SIZE missing": 550, "SIZE below": 550, "MDTM missing": 550, "MLST missing": 550,
        "MLSD missing": 550, "STOR below": 553, "STOR missing/x": 553, "APPE below": 553, "STOU missing/x": 553,
        "LIST missing": 450, "NLST missing": 450, "STAT missing": 450, "RETR outside": 550, "CWD outside": 550,
        "STOR outside": 553, "RETR below": 550, "LIST outside/x": 450,
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("line", "code"),
    [
        pytest.param(line, code, marks=pytest.mark.req(name))
        for name, lines in ERRORS.items()
        for line, code in lines.items()
    ],
)
def test_the_kind_of_error_chooses_the_code(control: Control, root: Path, line: str, code: int) -> None:
    (root / "file").write_text("content")
    (root / "below").mkdir()
    (root / "full" / "directory").mkdir(parents=True)
    (root.parent / "secret").mkdir()
    (root / "outside").symlink_to("../secret")
    reply = control.ask(line)
    assert reply.code == code
    assert str(root) not in reply.text
    assert "secret" not in reply.text


@pytest.mark.req("S-ERR-4")
@pytest.mark.parametrize("target", ["below", "missing/x", "file/x", "outside/x", "/"])
def test_a_name_that_cannot_be_given_is_553(control: Control, root: Path, target: str) -> None:
    (root / "file").write_text("content")
    (root / "below").mkdir()
    (root / "outside").symlink_to("..")
    assert control.ask("RNFR file").code == 350
    assert control.ask(f"RNTO {target}").code == 553
    assert (root / "file").exists()


@pytest.mark.req("S-ERR-3", "S-959-AUTHZ-1")
def test_who_is_not_logged_in_is_told_so(running: Running) -> None:
    with running.connect() as control:
        assert control.codes("RETR x", "USER me", "PASS wrong") == [530, 331, 530]
