"""SITE SYMLINK, SITE CPFR and SITE CPTO."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from fairlead.accounts.base import Account, Right, Rule
from fairlead.accounts.memory import MemoryAccounts, User
from fairlead.accounts.password import KeyedDigest
from fairlead.events import Changed
from fairlead.storage.local import LocalStorage
from fairlead.storage.memory import MemoryStorage
from tests.server.session import Control, Running, serving
from tests.server.test_combine import WithoutEnd
from tests.server.test_space import session_of
from tests.storage.acts import listed, put

# SYMLINK


@pytest.mark.req("S-SITE-3")
@pytest.mark.parametrize(
    ("argument", "link", "text"),
    [
        ("file link", "link", "file"),
        ("/file link", "link", "file"),
        ("/file d/link", "d/link", "../file"),
        ("../file d/link", "d/link", "../file"),
        ("none d/link", "d/link", "none"),
        ("/d/../d/./none d/link", "d/link", "none"),
        ('"my file" "a link"', "a link", "my file"),
        ("/ d/link", "d/link", ".."),
    ],
)
def test_a_link_is_made(running: Running, control: Control, root: Path, argument: str, link: str, text: str) -> None:
    (root / "d").mkdir()
    (root / "file").write_bytes(b"1")
    assert control.ask(f"SITE SYMLINK {argument}").code == 200
    assert (root / link).readlink() == Path(text)
    event = running.await_event(Changed)
    assert (event.verb, event.path) == ("SITE SYMLINK", f"/{link}")


@pytest.mark.req("S-SITE-3")
def test_a_link_is_followed(control: Control, root: Path) -> None:
    (root / "file").write_bytes(b"content")
    assert control.codes("MKD d", "CWD d", "SITE SYMLINK /file link") == [257, 250, 200]
    assert control.fetch("RETR link") == b"content"


@pytest.mark.req("S-SITE-3", "S-SEC-6")
@pytest.mark.parametrize(
    "target",
    ["../secret", "../../etc/passwd", "/../etc/passwd", "d/../../secret", "/d/../../etc", "x/../../root/file", ".."],
)
def test_a_link_out_of_the_root_is_refused(control: Control, root: Path, target: str) -> None:
    (root / "d").mkdir()
    (root.parent / "secret").write_bytes(b"not for you")
    assert control.ask(f"SITE SYMLINK {target} link").code == 550
    assert not (root / "link").is_symlink()


@pytest.mark.req("S-SITE-3")
@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("", 501),
        ("a", 501),
        ("a b c", 501),
        ('"a b', 501),
        ('"" link', 200),
        ("a file", 550),
        ("a none/link", 550),
        ("a /", 550),
        ("a\0 link", 501),
        ("a " + "x" * 300, 550),
    ],
)
def test_other_arguments(control: Control, root: Path, argument: str, code: int) -> None:
    (root / "file").write_bytes(b"1")
    assert control.ask(f"SITE SYMLINK {argument}").code == code


@pytest.mark.req("S-SITE-3")
def test_a_link_does_not_lead_around_rules() -> None:
    storage = MemoryStorage()
    storage.mkdir("/secret")
    rules = (Rule("/", Right.WRITER), Rule("/secret", Right.NONE))
    with session_of(storage, *rules) as (_, control):
        assert control.codes("SITE SYMLINK /secret/file link", "SITE SYMLINK /other link") == [550, 550]
    with session_of(storage, Rule("/", Right.READER)) as (_, control):
        assert control.ask("SITE SYMLINK /other link").code == 550
    assert listed(storage) == ["secret"]


# CPFR and CPTO


@pytest.mark.req("S-SITE-5")
@pytest.mark.parametrize("size", [0, 5, 3_000_000])
def test_a_file_is_copied(running: Running, control: Control, root: Path, size: int) -> None:
    data = (bytes(range(256)) * (size // 256 + 1))[:size]
    (root / "a file").write_bytes(data)
    (root / "d").mkdir()
    assert control.codes("SITE CPFR a file", "CWD d", "SITE CPTO a copy") == [350, 250, 250]
    assert (root / "d" / "a copy").read_bytes() == data
    assert (root / "a file").read_bytes() == data
    event = running.await_event(Changed)
    assert (event.verb, event.path, event.detail) == ("SITE CPTO", "/d/a copy", "/a file")


@pytest.mark.req("S-SITE-5")
def test_a_file_that_has_the_name_is_replaced(control: Control, root: Path) -> None:
    (root / "a").write_bytes(b"new")
    (root / "b").write_bytes(b"old and longer")
    assert control.codes("SITE CPFR a", "SITE CPTO b", "SITE CPFR a", "SITE CPTO a") == [350, 250, 350, 250]
    assert (root / "b").read_bytes() == (root / "a").read_bytes() == b"new"


@pytest.mark.req("S-SITE-5", "S-ERR-3")
def test_a_copy_needs_something_to_copy(control: Control, root: Path) -> None:
    (root / "a").write_bytes(b"1")
    assert control.codes("SITE CPTO b", "SITE CPFR a", "SITE CPTO b", "SITE CPTO c") == [503, 350, 250, 503]
    assert control.codes("SITE CPFR a", "SITE CPFR none", "SITE CPTO b") == [350, 550, 503]
    assert control.codes("SITE CPFR a", "REIN", "USER me", "PASS secret", "SITE CPTO b") == [350, 220, 331, 230, 503]


@pytest.mark.req("S-SITE-5")
@pytest.mark.parametrize(
    ("line", "code"),
    [("CPFR", 501), ("CPFR none", 550), ("CPFR d", 550), ("CPTO", 501), ("CPTO d", 550), ("CPTO none/b", 550)],
)
def test_what_cannot_be_copied(control: Control, root: Path, line: str, code: int) -> None:
    (root / "a").write_bytes(b"1")
    (root / "d").mkdir()
    assert control.codes("SITE CPFR a", f"SITE {line}") == [350, code]
    assert sorted(path.name for path in root.iterdir()) == ["a", "d"]


@pytest.mark.req("S-SITE-5")
def test_rights_hold() -> None:
    storage = MemoryStorage()
    for name in ("in", "open", "closed"):
        storage.mkdir(f"/{name}")
        put(storage, f"/{name}/a", b"1")
    rules = Rule("/", Right.WRITER), Rule("/in", Right.CREATE), Rule("/closed", Right.NONE)
    with session_of(storage, *rules) as (_, control):
        assert control.codes("SITE CPFR closed/a", "SITE CPFR in/a", "SITE CPFR open/a") == [550, 550, 350]
        assert control.codes("SITE CPTO in/a", "SITE CPFR open/a", "SITE CPTO in/b") == [550, 350, 250]
        assert control.codes("SITE CPFR open/a", "SITE CPTO closed/b") == [350, 550]
    assert listed(storage, "/in") == ["a", "b"]


@pytest.mark.req("S-959-ACCT-2")
def test_an_account_that_is_still_to_be_given(root: Path) -> None:
    (root / "a").write_bytes(b"1")
    with closing(LocalStorage(root)) as storage:
        account = Account("me", storage, (Rule("/", Right.WRITER),), account_at="store")
        user = User(account, KeyedDigest("secret"), KeyedDigest("billing"))
        with serving(storage, accounts=MemoryAccounts([user])) as running, running.login() as control:
            assert control.codes("SITE CPFR a", "SITE CPTO b", "SITE SYMLINK a c") == [350, 550, 550]


@pytest.mark.req("S-SITE-5")
def test_abor_stops_a_copy() -> None:
    storage = WithoutEnd()
    put(storage, "/a", b"1")
    with session_of(storage) as (_, control):
        assert control.ask("SITE CPFR a").code == 350
        control.send("SITE CPTO b")
        control.send("ABOR")
        assert control.read_codes(2) == [426, 226]
    assert listed(storage) == ["a"]


class Slow(MemoryStorage):
    inline = False

    def with_umask(self, umask: int) -> Slow:
        copied = super().with_umask(umask)
        assert isinstance(copied, Slow)
        return copied


@pytest.mark.req("S-SITE-1", "S-SITE-2", "S-SITE-3", "S-SITE-4", "S-SITE-5")
def test_a_store_that_is_not_quick_is_called_in_threads() -> None:
    storage = Slow()
    put(storage, "/a", b"1")
    with session_of(storage) as (_, control):
        assert control.codes(
            "SITE CHMOD 600 a", "SITE UTIME 202001010000 a", "SITE SYMLINK a l", "SITE UMASK 077", "SITE CPFR a",
            "SITE CPTO b", "SITE HELP", "AVBL", "DSIZ", "MKD d", "RMDA d", "COMB c b a",
        ) == [200, 200, 200, 200, 350, 250, 214, 213, 213, 257, 250, 250]  # fmt: skip
    assert listed(storage) == ["c", "l"]
