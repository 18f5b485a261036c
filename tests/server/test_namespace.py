"""CWD, CDUP, PWD, MKD, RMD, DELE, RNFR, RNTO and their X forms."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from fairlead.accounts.base import Account, Right, Rule
from fairlead.accounts.memory import MemoryAccounts, User
from fairlead.accounts.password import KeyedDigest
from fairlead.storage.local import LocalStorage
from tests.server.session import Control, Running, serving

X_FORMS = {"CWD": "XCWD", "CDUP": "XCUP", "PWD": "XPWD", "MKD": "XMKD", "RMD": "XRMD"}


def picture(root: Path) -> dict[str, bytes | None]:
    """Every path below ``root`` and, of a file, what it holds."""
    return {str(path.relative_to(root)): path.read_bytes() if path.is_file() else None for path in root.rglob("*")}


@pytest.fixture
def tree(root: Path) -> Path:
    """A file, a directory with a file in it, an empty directory, and a link that leads out."""
    (root / "file").write_bytes(b"content")
    (root / "directory" / "inner").mkdir(parents=True)
    (root / "directory" / "file").write_bytes(b"another")
    (root / "empty").mkdir()
    (root / "leads-out").symlink_to("..")
    return root


@pytest.mark.req("S-1123-XCMD-1", "S-959-CWD-1", "S-959-PWD-1", "S-959-CDUP-1", "R-3", "S-959-T-1", "S-959-T-2")
@pytest.mark.parametrize("verb", [*X_FORMS, *X_FORMS.values()])
@pytest.mark.usefixtures("tree")
def test_the_x_forms_answer_as_the_plain_ones(running: Running, verb: str) -> None:
    asked = {
        "CWD": ["directory", "/directory/inner", "..", "missing", "file", "file/below", "leads-out", "/"],
        "CDUP": [""],
        "PWD": [""],
        "MKD": ["new", "/directory/new", "new/inner", "file", "directory", "missing/new", "file/new", "/", "x" * 300],
        "RMD": ["empty", "directory", "file", "missing", "/", "leads-out"],
    }
    plain = next(name for name, x_form in X_FORMS.items() if verb in {name, x_form})
    expected = {
        "CWD": [250, 250, 250, 550, 550, 550, 550, 250],
        "CDUP": [250],
        "PWD": [257],
        "MKD": [257, 257, 257, 550, 550, 550, 550, 550, 550],
        "RMD": [250, 550, 550, 550, 550, 550],
    }
    with running.login() as control:
        assert control.codes(*(f"{verb} {argument}".rstrip() for argument in asked[plain])) == expected[plain]


@pytest.mark.req("S-959-CWD-1", "S-ERR-4")
def test_the_working_directory_stays_where_cwd_fails(control: Control, tree: Path) -> None:
    assert control.ask("CWD directory").code == 250
    for path in ("missing", "file", "/file", "../missing", "inner/missing", "../leads-out", "../leads-out/root"):
        refusal = control.ask(f"CWD {path}")
        assert refusal.code == 550
        assert str(tree.parent) not in refusal.text
        assert control.ask("PWD").text.startswith('"/directory" ')


@pytest.mark.req("S-959-CDUP-1", "R-3")
def test_the_parent_of_the_root_is_the_root(control: Control) -> None:
    for _ in range(3):
        assert control.ask("CDUP").code == 250
        assert control.ask("CWD ..").code == 250
        assert control.ask("CWD ../../..").code == 250
        assert control.ask("PWD").text.startswith('"/" ')


@pytest.mark.req("S-DF-MISC-3")
@pytest.mark.usefixtures("tree")
def test_the_ways_to_write_a_directory_that_clients_use(control: Control) -> None:
    for argument, path in {
        "directory/": "/directory",
        "~": "/",
        "/directory/": "/directory",
        "inner//": "/directory/inner",
        "/": "/",
        "directory//inner/": "/directory/inner",
        ".": "/directory/inner",
        "./": "/directory/inner",
        "../.": "/directory",
        "/directory/../empty": "/empty",
        "//": "/",
    }.items():
        assert control.ask(f"CWD {argument}").code == 250
        assert control.ask("PWD").text.startswith(f'"{path}" ')


@pytest.mark.req("S-959-PWD-1", "S-959-MKD-1")
@pytest.mark.parametrize("name", ['a"b', '"', '""', 'say "hi"', "sp ace", "é", "日本", "🙂", "don't", "a\\b", "(x)"])
def test_mkd_and_pwd_quote_the_whole_path(control: Control, root: Path, name: str) -> None:
    (root / "directory").mkdir()
    assert control.ask("CWD directory").code == 250
    quoted = '"/directory/' + name.replace('"', '""') + '"'
    made = control.ask(f"MKD {name}")
    assert made.code == 257
    assert made.text.startswith(f"{quoted} ")
    assert (root / "directory" / name).is_dir()
    assert control.ask(f"CWD {name}").code == 250
    assert control.ask("PWD").text.startswith(f"{quoted} ")
    assert quoted.encode() in control.raw
    assert control.ask(f"RMD /directory/{name}").code == 250


@pytest.mark.req("S-959-DELE-1")
def test_dele_removes_files_and_links_and_nothing_else(control: Control, tree: Path) -> None:
    (tree / "link").symlink_to("file")
    (tree / "dangling").symlink_to("missing")
    (tree / "to-directory").symlink_to("directory")
    before = picture(tree)
    for path in ("directory", "empty", "missing", "missing/file", "file/below", "/", "..", "leads-out/root"):
        assert control.ask(f"DELE {path}").code == 550
    assert picture(tree) == before
    for path in ("link", "dangling", "to-directory", "leads-out"):
        assert control.ask(f"DELE {path}").code == 250
    assert (tree / "file").read_bytes() == b"content"
    assert control.ask("DELE directory/file").code == 250
    assert control.ask("DELE directory/file").code == 550
    assert (tree / "directory").is_dir()


@pytest.mark.req("S-959-RMD-1")
def test_rmd_removes_empty_directories_and_nothing_else(control: Control, tree: Path) -> None:
    (tree / "to-empty").symlink_to("empty")
    before = picture(tree)
    for path in ("directory", "file", "missing", "/", "to-empty", ".", "directory/..", "leads-out"):
        assert control.ask(f"RMD {path}").code == 550
    assert picture(tree) == before
    assert control.ask("RMD directory/inner").code == 250
    assert not (tree / "directory" / "inner").exists()


@pytest.mark.req("S-959-RNFR-1")
@pytest.mark.parametrize(
    ("source", "target"),
    [("file", "new"), ("file", "directory/new"), ("/directory/file", "new"), ("directory", "new"), ("file", "file")],
)
def test_rnfr_and_rnto_rename(control: Control, tree: Path, source: str, target: str) -> None:
    moved = tree / source.lstrip("/")
    held = picture(moved) if moved.is_dir() else moved.read_bytes()
    assert control.codes(f"RNFR {source}", f"RNTO {target}") == [350, 250]
    now = tree / target
    assert (picture(now) if now.is_dir() else now.read_bytes()) == held
    assert moved == now or not moved.exists()


@pytest.mark.req("S-DF-MISC-6")
def test_rnto_replaces_a_file(control: Control, tree: Path) -> None:
    assert control.codes("RNFR file", "RNTO directory/file") == [350, 250]
    assert (tree / "directory" / "file").read_bytes() == b"content"
    assert not (tree / "file").exists()


@pytest.mark.req("S-959-RNFR-1", "S-959-RNTO-1", "S-ERR-4", "S-ERR-3")
def test_what_is_not_there_cannot_be_renamed(control: Control, tree: Path) -> None:
    before = picture(tree)
    for path in ("missing", "missing/file", "file/below", "leads-out/root"):
        assert control.codes(f"RNFR {path}", "RNTO new") == [550, 503]
    assert picture(tree) == before


@pytest.mark.req("S-959-RNTO-2", "S-ERR-4")
@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("file", "directory"),
        ("file", "/"),
        ("file", "missing/new"),
        ("file", "directory/file/new"),
        ("file", "x" * 256),
        ("file", f".fairlead-{'0' * 16}-{'0' * 16}.part"),
        ("file", "leads-out/new"),
        ("directory", "file"),
        ("directory", "empty"),
        ("directory", "directory/inner/new"),
        ("/", "new"),
    ],
)
def test_a_new_name_that_is_not_allowed_changes_nothing(control: Control, tree: Path, source: str, target: str) -> None:
    before = picture(tree)
    assert control.codes(f"RNFR {source}", f"RNTO {target}") == [350, 553]
    assert picture(tree) == before
    assert not (tree.parent / "new").exists()


@pytest.mark.req("S-959-RNTO-1", "S-ERR-3")
def test_rnto_needs_rnfr_right_before_it(control: Control, tree: Path) -> None:
    before = picture(tree)
    assert control.ask("RNTO new").code == 503
    for between in (
        "PWD", "CWD .", "TYPE I", "EPSV", "PASV", "SYST", "FEAT", "SIZE file", "MLST file", "MKD", "RNTO", "BOGUS",
        "REST 0", "SITE HELP", "DELE missing", "ALLO 1", "CLNT x", "OPTS UTF8 ON", "LANG", "ABOR",
    ):  # fmt: skip
        assert control.ask("RNFR file").code == 350
        control.ask(between)
        assert control.ask("RNTO new").code == 503, between
    assert picture(tree) == before


@pytest.mark.req("S-959-RNTO-1", "S-959-NOOP-1")
@pytest.mark.parametrize("between", ["NOOP", "STAT", "HELP", "HELP RNTO"])
def test_noop_stat_and_help_may_stand_between_rnfr_and_rnto(control: Control, tree: Path, between: str) -> None:
    assert control.ask("RNFR file").code == 350
    assert control.ask(between).completed
    assert control.ask("RNTO new").code == 250
    assert (tree / "new").read_bytes() == b"content"


@pytest.mark.req("S-959-RNTO-1")
def test_one_rnfr_serves_one_rnto(control: Control, tree: Path) -> None:
    assert control.codes("RNFR file", "RNTO new", "RNTO newer") == [350, 250, 503]
    assert control.codes("RNFR new", "RNTO directory", "RNTO newer") == [350, 553, 503]
    assert control.codes("RNFR new", "RNFR missing", "RNTO newer") == [350, 550, 503]
    assert control.codes("RNFR directory", "RNFR new", "RNTO newer") == [350, 350, 250]
    assert (tree / "newer").read_bytes() == b"content"


def test_renaming_a_link_leaves_what_it_leads_to(control: Control, tree: Path) -> None:
    (tree / "link").symlink_to("file")
    (tree / "dangling").symlink_to("missing")
    for name in ("link", "dangling"):
        text = os.readlink(tree / name)
        assert control.codes(f"RNFR {name}", f"RNTO new-{name}") == [350, 250]
        assert os.readlink(tree / f"new-{name}") == text
    assert (tree / "file").read_bytes() == b"content"


@pytest.mark.req("S-959-MKD-1")
def test_mkd_makes_directories_that_others_may_enter_but_not_write_to(control: Control, root: Path) -> None:
    assert control.ask("MKD new").code == 257
    assert (root / "new").stat().st_mode & 0o777 == 0o755


@pytest.mark.req("S-DF-MISC-3", "S-959-PWD-1")
def test_a_session_begins_in_the_home_of_its_account(tree: Path) -> None:
    with closing(LocalStorage(tree, durability="relaxed")) as storage:
        account = Account("me", storage, (Rule("/", Right.WRITER),), home="/directory/inner")
        accounts = MemoryAccounts([User(account, KeyedDigest("secret"))])
        with serving(storage, accounts=accounts) as running, running.login() as control:
            assert control.ask("PWD").text.startswith('"/directory/inner" ')
            assert control.codes("CWD /", "CWD ~") == [250, 250]
            assert control.ask("PWD").text.startswith('"/directory/inner" ')
            assert control.codes("CDUP", "CDUP", "CDUP") == [250, 250, 250]
            assert control.ask("PWD").text.startswith('"/" ')
