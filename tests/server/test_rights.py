"""What each right lets an account do, where; what it does not see; and anonymous access (RFC 1635)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from fairlead.accounts.base import Account, Right, Rule
from fairlead.accounts.memory import MemoryAccounts, User
from fairlead.accounts.password import KeyedDigest
from fairlead.events import LoginSucceeded
from fairlead.server import permissions
from fairlead.storage.local import LocalStorage
from tests.server.session import Control, Running, receive, serving

ALL = Right.WRITER


@contextmanager
def session_of(root: Path, *rules: Rule) -> Iterator[Control]:
    """A session of an account with these rules in the tree ``root``."""
    with (
        closing(LocalStorage(root, durability="relaxed")) as storage,
        serving(
            storage, accounts=MemoryAccounts([User(Account("me", storage, rules), KeyedDigest("secret"))])
        ) as running,
        running.login() as control,
    ):
        yield control


def picture(root: Path) -> dict[str, tuple[bytes | None, int, int]]:
    """All below ``root`` that a command could change."""
    return {
        str(path.relative_to(root)): (
            path.read_bytes() if path.is_file() else None,
            path.stat().st_mode,
            0 if path.is_dir() else path.stat().st_mtime_ns,
        )
        for path in root.rglob("*")
    }


@pytest.fixture
def tree(root: Path) -> Path:
    """A directory ``place`` whose rights the tests choose, in a root that may only be looked at."""
    (root / "place" / "sub").mkdir(parents=True)
    (root / "place" / "empty").mkdir()
    for name in ("file", "sub/file", "other"):
        (root / "place" / name).write_bytes(b"content")
    return root


def attempt(control: Control, command: str) -> int:
    """The code that decides: of a transfer the one before any data, else the last one."""
    *first, last = command.split(" | ")
    for line in first:
        assert control.ask(line).code == 350
    verb = last.partition(" ")[0]
    if verb not in {"LIST", "NLST", "MLSD", "RETR", "STOR", "APPE", "STOU"}:
        return control.ask(last).code
    with control.passive() as data:
        opening = control.ask(last).code
        if opening == 150:
            if verb in {"LIST", "NLST", "MLSD", "RETR"}:
                receive(data)
            else:
                data.sendall(b"new")
                data.close()
            assert control.read().code == 226
        return opening


MATRIX: list[tuple[str, Right, int, int]] = [
    ("LIST place", Right.LIST, 150, 450),
    ("LIST -la place", Right.LIST, 150, 450),
    ("LIST place/file", Right.LIST, 150, 450),
    ("LIST place/*", Right.LIST, 150, 450),
    ("NLST place", Right.LIST, 150, 450),
    ("NLST place/f*", Right.LIST, 150, 450),
    ("STAT place", Right.LIST, 212, 450),
    ("STAT place/file", Right.LIST, 213, 450),
    ("MLSD place", Right.LIST, 150, 550),
    ("MLST place/file", Right.LIST, 250, 550),
    ("SIZE place/file", Right.LIST, 213, 550),
    ("MDTM place/file", Right.LIST, 213, 550),
    ("RETR place/file", Right.READ, 150, 550),
    ("REST 3 | RETR place/file", Right.READ, 150, 550),
    ("STOR place/new", Right.CREATE, 150, 553),
    ("APPE place/new", Right.CREATE, 150, 553),
    ("STOU place/hint", Right.CREATE, 150, 553),
    ("STOR place/file", Right.OVERWRITE, 150, 553),
    ("REST 3 | STOR place/file", Right.OVERWRITE, 150, 553),
    ("APPE place/file", Right.OVERWRITE, 150, 553),
    ("DELE place/file", Right.DELETE, 250, 550),
    ("RMD place/empty", Right.DELETE, 250, 550),
    ("XRMD place/empty", Right.DELETE, 250, 550),
    ("MKD place/new", Right.MKDIR, 257, 550),
    ("XMKD place/new", Right.MKDIR, 257, 550),
    ("RNFR place/file | RNTO place/new", Right.RENAME, 250, 550),
    ("RNFR place/sub | RNTO place/new", Right.RENAME, 250, 550),
    ("MFMT 20200101000000 place/file", Right.CHANGE, 213, 550),
    ("SITE CHMOD 600 place/file", Right.CHANGE, 200, 550),
    ("SITE UTIME 202001010000 place/file", Right.CHANGE, 200, 550),
]


@pytest.mark.req("S-959-STOR-2", "S-ERR-4", "R-2", "S-SEC-6")
@pytest.mark.parametrize(("command", "right", "granted", "refused"), MATRIX, ids=[row[0] for row in MATRIX])
@pytest.mark.parametrize("lacks", [True, False], ids=["all but it", "it alone"])
def test_a_command_needs_its_right_and_no_other(
    tree: Path, command: str, right: Right, granted: int, refused: int, lacks: bool
) -> None:
    before = picture(tree)
    with session_of(tree, Rule("/", Right.READER), Rule("/place", ALL & ~right if lacks else right)) as control:
        if not lacks:
            assert attempt(control, command) == granted
            return
        if " | " in command and "REST" not in command:
            command = command.partition(" | ")[0]
        assert attempt(control, command) == refused
    assert picture(tree) == before


@pytest.mark.req("S-959-RNTO-2", "S-ERR-4")
@pytest.mark.parametrize(
    ("there", "target"),
    [
        (ALL & ~Right.RENAME, "there/new"),
        (Right.NONE, "there/new"),
        (ALL & ~Right.OVERWRITE, "there/file"),
        (Right.RENAME | Right.CREATE, "there/file"),
    ],
)
def test_the_new_name_needs_rights_as_well(tree: Path, there: Right, target: str) -> None:
    (tree / "there").mkdir()
    (tree / "there" / "file").write_bytes(b"kept")
    before = picture(tree)
    with session_of(tree, Rule("/", Right.READER), Rule("/place", ALL), Rule("/there", there)) as control:
        assert control.codes("RNFR place/file", f"RNTO {target}") == [350, 553]
        assert control.ask("RNTO place/new").code == 503
    assert picture(tree) == before


def test_a_rename_that_replaces_needs_the_right_to_overwrite_and_no_more(tree: Path) -> None:
    with session_of(tree, Rule("/", Right.READER), Rule("/place", Right.RENAME | Right.OVERWRITE)) as control:
        assert control.codes("RNFR place/file", "RNTO place/other") == [350, 250]


@pytest.mark.req("S-SEC-6")
@pytest.mark.parametrize("moved", ["outer", "outer/inner"])
def test_a_tree_with_rules_of_its_own_cannot_be_moved_from_under_them(root: Path, moved: str) -> None:
    (root / "outer" / "inner" / "hidden").mkdir(parents=True)
    (root / "outer" / "inner" / "hidden" / "file").write_bytes(b"not for you")
    with session_of(root, Rule("/", ALL), Rule("/outer/inner/hidden", Right.NONE)) as control:
        assert control.ask(f"RNFR {moved}").code == 550
        assert control.ask("RNTO moved").code == 503
        assert control.ask("RNFR outer/inner/hidden").code == 550
        assert control.ask("RETR outer/inner/hidden/file").code == 550
    assert (root / "outer" / "inner" / "hidden" / "file").exists()


@pytest.fixture
def hiding(root: Path) -> Iterator[Control]:
    """A session to which ``/secret`` and ``/pub/secret`` are hidden, and ``/pub/drop`` must not be listed."""
    for name in ("secret", "pub/secret", "pub/drop"):
        (root / name).mkdir(parents=True)
        (root / name / "inside").write_bytes(b"content")
    (root / "pub" / "file").write_bytes(b"content")
    (root / "pub" / "secret.txt").write_bytes(b"content")
    rules = (
        Rule("/", ALL), Rule("/secret", Right.NONE), Rule("/pub/secret", Right.NONE),
        Rule("/pub/secret.txt", Right.NONE), Rule("/pub/drop", Right.CREATE),
    )  # fmt: skip
    with session_of(root, *rules) as control:
        yield control


@pytest.mark.req("S-SEC-6")
@pytest.mark.parametrize(
    "command",
    ["LIST", "NLST", "MLSD", "LIST -la", "LIST -R", "NLST -R", "LIST pub", "NLST pub", "MLSD pub", "LIST -t pub",
     "NLST *", "LIST *", "NLST */*", "LIST p*/*", "NLST pub/drop/..", "LIST -aR /"],
)  # fmt: skip
def test_what_an_account_has_no_right_to_is_not_shown(hiding: Control, command: str) -> None:
    assert not re.search(rb"secret|inside", hiding.fetch(command))


@pytest.mark.req("S-SEC-6")
@pytest.mark.parametrize("pattern", ["pub/s*", "*/*/*", "secret/*", "pub/drop/*", "*/secret", "[s]ecret"])
def test_patterns_do_not_find_it(hiding: Control, pattern: str) -> None:
    assert hiding.codes(f"NLST {pattern}", f"LIST {pattern}", f"STAT {pattern}") == [450, 450, 450]


@pytest.mark.req("S-SEC-6")
@pytest.mark.parametrize("argument", [".", "pub", "-R", "-R /", "pub/*", "*"])
def test_status_does_not_show_it_either(hiding: Control, argument: str) -> None:
    shown = hiding.ask(f"STAT {argument}")
    assert shown.code in {211, 212, 213}
    assert not re.search("secret|inside", "\n".join(shown.lines[1:]))


@pytest.mark.req("S-SEC-6")
@pytest.mark.parametrize("place", ["secret", "pub/secret"])
def test_nothing_tells_whether_a_hidden_name_exists(hiding: Control, root: Path, place: str) -> None:
    before = picture(root)
    for command in (
        "CWD {}", "RETR {}", "SIZE {}", "MDTM {}", "MLST {}", "MLSD {}", "LIST {}", "NLST {}", "STAT {}", "STOR {}",
        "APPE {}", "STOU {}", "MKD {}", "RMD {}", "DELE {}", "RNFR {}", "SITE CHMOD 600 {}", "MFMT 20200101000000 {}",
        "NLST {}*", "SITE UTIME 202001010000 {}", "LIST -d {}", "LIST {}/*",
    ):  # fmt: skip
        hidden = hiding.ask(command.format(f"{place}/inside"))
        missing = hiding.ask(command.format(f"{place}/missing"))
        assert (hidden.code, hidden.text) == (missing.code, missing.text.replace("missing", "inside"))
        assert hidden.permanent or hidden.code == 450
    assert hiding.codes("RNFR pub/file", f"RNTO {place}/inside") == [350, 553]
    assert picture(root) == before


@pytest.mark.req("S-SEC-6")
def test_rules_hold_however_the_path_is_written(hiding: Control) -> None:
    assert hiding.ask("CWD pub").code == 250
    for path in (
        "../secret/inside",
        "/secret/inside",
        "//secret//inside",
        "./../secret/./inside",
        "drop/../secret/inside",
    ):
        assert hiding.ask(f"RETR {path}").code == 550
    assert hiding.codes("CWD secret", "CWD ../secret", "CDUP", "CWD secret") == [550, 550, 250, 550]


@pytest.mark.req("S-3659-FACT-5")
@pytest.mark.parametrize("given", [Right.NONE, *Right, ALL, Right.READER, ALL & ~Right.OVERWRITE], ids=repr)
def test_the_perm_fact_tells_what_can_be_done(tree: Path, given: Right) -> None:
    def fact(control: Control, name: str) -> set[str]:
        listing = control.fetch("MLSD place").decode()
        match = re.search(rf"perm=([a-z]*);[^ ]* {name}\r\n", listing)
        assert match is not None
        return set(match[1])

    probes = {
        "file": {"r": "RETR {}", "a": "APPE {}", "w": "STOR {}", "f": "RNFR {} | RNTO {}", "d": "DELE {}"},
        "sub": {
            "e": "CWD {}", "l": "LIST {}", "c": "STOR {}/new", "m": "MKD {}/newer", "p": "DELE {}/file",
            "f": "RNFR {} | RNTO {}",
        },
        "empty": {"d": "RMD {}"},
    }  # fmt: skip
    rules = [Rule("/", ALL), *(Rule(f"/place/{name}", given | Right.LIST) for name in probes)]
    with session_of(tree, *rules) as control:
        for name, letters in probes.items():
            told = fact(control, name)
            assert told <= set("adfrw" if name == "file" else "cdeflmp")
            for letter, command in letters.items():
                path = f"/place/{name}"
                if letter == "f":
                    able = control.ask(f"RNFR {path}").code == 350
                else:
                    able = attempt(control, command.format(path)) < 300
                assert (letter in told) == able, (name, letter, told)
                assert control.ask("CWD /").code == 250


@pytest.mark.req("S-1635-1", "S-1635-2", "S-959-PASS-3")
@pytest.mark.parametrize("name", ["anonymous", "ftp", "Anonymous", "ANONYMOUS", "FTP"])
@pytest.mark.parametrize("password", ["me@example.org", "guest", "-me@example.org", "", "a b", "é"])
def test_anonymous_users_may_come_with_any_password(running: Running, name: str, password: str) -> None:
    with running.connect() as control:
        asked = control.ask(f"USER {name}")
        assert asked.code == 331
        assert "e-mail" in asked.text
        assert control.ask(f"PASS {password}".rstrip() if not password else f"PASS {password}").code == 230
    came = running.await_event(LoginSucceeded)
    assert (came.user, came.anonymous, came.password) == ("anonymous", True, password)


@pytest.mark.req("S-1635-1", "S-2577-USER-2")
@pytest.mark.parametrize("name", ["anonymous", "ftp"])
def test_without_anonymous_access_its_names_are_like_any_other(root: Path, name: str) -> None:
    with (
        closing(LocalStorage(root)) as storage,
        serving(storage, accounts=MemoryAccounts.sharing(storage, {"me": "secret"}), login_delay=0) as running,
        running.connect() as control,
    ):
        assert control.ask(f"USER {name}") == control.ask("USER me")
        assert control.codes(f"USER {name}", "PASS me@example.org") == [331, 530]


@pytest.mark.req("S-1635-2")
def test_an_empty_password_of_anonymous_users_can_be_refused(root: Path) -> None:
    with closing(LocalStorage(root)) as storage:
        accounts = MemoryAccounts(
            anonymous=Account("anonymous", storage, anonymous=True), anonymous_needs_password=True
        )
        with serving(storage, accounts=accounts, login_delay=0) as running, running.connect() as control:
            assert control.codes("USER ftp", "PASS", "USER ftp", "PASS x") == [331, 530, 331, 230]


@pytest.mark.req("S-1635-3", "S-SEC-6")
def test_anonymous_users_only_read(running: Running, tree: Path) -> None:
    (tree.parent / "outside").write_bytes(b"not served")
    before = picture(tree)
    with running.login("anonymous", "me@example.org") as control:
        assert control.fetch("RETR place/file") == b"content"
        assert b"place\r\n" in control.fetch("NLST")
        for command in (
            "DELE place/file", "RMD place/empty", "MKD place/new", "RNFR place/file", "SITE CHMOD 777 place/file",
            "MFMT 20200101000000 place/file",
        ):  # fmt: skip
            assert control.ask(command).code == 550
        for command in ("STOR place/file", "STOR place/new", "APPE place/file", "STOU", "APPE new"):
            assert control.ask(command).code == 553
        for path in ("../outside", "/../outside", "place/../../outside"):
            assert control.ask(f"RETR {path}").code == 550
    assert picture(tree) == before


@pytest.mark.req("S-1635-3")
def test_an_upload_area_takes_files_and_gives_none_back(root: Path) -> None:
    (root / "incoming").mkdir()
    (root / "incoming" / "theirs").write_bytes(b"theirs")
    with (
        closing(LocalStorage(root, durability="relaxed")) as storage,
        serving(
            storage,
            accounts=MemoryAccounts(
                anonymous=Account(
                    "anonymous", storage, (Rule("/", Right.READER), Rule("/incoming", Right.CREATE)), anonymous=True
                )
            ),
        ) as running,
        running.login("anonymous", "me@example.org") as control,
    ):
        assert control.store("STOR incoming/mine", b"mine").code == 226
        assert control.ask("CWD incoming").code == 250
        assert control.store("STOU", b"mine").code == 226
        for command in (
            "RETR mine",
            "RETR theirs",
            "DELE mine",
            "RNFR mine",
            "SIZE theirs",
            "MLSD",
            "MKD new",
            "RMD .",
        ):
            assert control.ask(command).code == 550
        for command in ("STOR theirs", "APPE theirs", "APPE mine", "STOR mine"):
            assert control.ask(command).code == 553
        for command in ("LIST", "NLST", "NLST *", "STAT ."):
            assert control.ask(command).code == 450
    assert (root / "incoming" / "theirs").read_bytes() == b"theirs"
    assert (root / "incoming" / "mine").read_bytes() == b"mine"


@contextmanager
def acting_as(user: int) -> Iterator[None]:
    """Have the whole process, the server in it too, be ``user`` where it touches files."""
    if os.geteuid():
        pytest.skip("acting as another user needs root")
    os.setegid(user)
    os.seteuid(user)
    permissions.identity.cache_clear()
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        permissions.identity.cache_clear()


NOBODY = 65534
FILES = {"open": (0o666, 0), "read-only": (0o444, 0), "write-only": (0o222, 0), "own": (0o600, NOBODY),
         "own-read-only": (0o400, NOBODY), "closed": (0o600, 0)}  # fmt: skip
DIRECTORIES = {"open": (0o777, 0), "read-only": (0o755, 0), "blind": (0o333, 0), "own": (0o700, NOBODY),
               "closed": (0o700, 0), "no-search": (0o666, 0)}  # fmt: skip
ATTEMPTS = {
    "file": {"r": "RETR {}", "a": "APPE {}", "w": "STOR {}", "d": "DELE {}", "f": "RNFR {} | RNTO {}.moved"},
    "directory": {"e": "CWD {}", "l": "LIST {}", "c": "STOR {}/new", "m": "MKD {}/new", "p": "DELE {}/file",
                  "d": "RMD {}", "f": "RNFR {} | RNTO {}.moved"},
}  # fmt: skip


@pytest.mark.req("S-3659-FACT-5", "S-DF-MISC-6", "S-959-RETR-1", "S-959-STOR-2")
@pytest.mark.parametrize("parent", [0o777, 0o755, 0o1777], ids=oct)
@pytest.mark.parametrize("letter", "acdeflmprw")
def test_the_perm_fact_minds_the_permission_bits(root: Path, parent: int, letter: str) -> None:
    for kind, objects in {"file": FILES, "directory": DIRECTORIES}.items():
        for name, (mode, owner) in objects.items():
            path = root / f"{kind}-{name}"
            if kind == "file":
                path.write_bytes(b"content")
            else:
                path.mkdir()
                if letter == "p":
                    (path / "file").touch()
            os.chown(path, owner, owner)
            path.chmod(mode)
    root.chmod(parent)
    with session_of(root, Rule("/", ALL)) as control, acting_as(NOBODY):
        for line in control.fetch("MLSD").decode().split("\r\n")[:-1]:
            facts, _, name = line.partition(" ")
            told = re.search(r"perm=([a-z]*);", facts)
            assert told is not None
            command = ATTEMPTS[name.partition("-")[0]].get(letter)
            if command is not None:
                able = attempt(control, command.format(name, name)) < 300
                assert (letter in told[1]) == able, line
                assert control.ask("CWD /").code == 250
            else:
                assert letter not in told[1]


@pytest.mark.req("S-3659-FACT-5")
def test_the_root_can_be_neither_removed_nor_renamed(root: Path) -> None:
    with session_of(root, Rule("/", ALL)) as control:
        told = re.search(r"perm=([a-z]*);", control.ask("MLST /").text)
        assert told is not None
        assert set(told[1]) == set("celmp")
        assert control.codes("RMD /", "RNFR /", "RNTO new")[::2] == [550, 553]


@pytest.mark.req("S-959-APPE-1", "S-959-STOR-2")
@pytest.mark.parametrize("command", ["APPE file", "REST 3 | STOR file"])
def test_a_file_that_cannot_be_read_is_not_replaced_by_what_was_to_follow_it(root: Path, command: str) -> None:
    (root / "file").write_bytes(b"content")
    (root / "file").chmod(0o222)
    root.chmod(0o777)
    with session_of(root, Rule("/", ALL)) as control, acting_as(NOBODY):
        assert attempt(control, command) in {553, 554}
    assert (root / "file").read_bytes() == b"content"
