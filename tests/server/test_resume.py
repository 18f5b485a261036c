"""An upload that is cut short: the old file stays whole; what came can be resumed by who sent it, and nobody else."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TypeAlias

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.events import SessionClosed, TransferFailed
from fairlead.server.readiness import Readiness
from fairlead.storage import names
from fairlead.storage.local import LocalStorage
from fairlead.storage.memory import MemoryStorage
from tests.server.session import Control, Running, reset, serving

CONTENT = bytes(range(256)) * 2000
CUT = 200_000


@pytest.fixture
def running(root: Path) -> Iterator[Running]:
    """Two users who may write to the same tree."""
    with closing(LocalStorage(root, durability="relaxed")) as storage:
        accounts = MemoryAccounts.sharing(storage, {"me": "secret", "other": "secret"}, write=True)
        with serving(storage, accounts=accounts, login_delay=0) as server:
            yield server


Cut: TypeAlias = Callable[[Control, socket.socket], None]


def reset_data(control: Control, data: socket.socket) -> None:
    reset(data)
    assert control.read().code == 426


def reset_control(control: Control, _: socket.socket) -> None:
    reset(control.socket)


def end_control(control: Control, _: socket.socket) -> None:
    control.close()


def half_close_control(control: Control, _: socket.socket) -> None:
    control.socket.shutdown(socket.SHUT_WR)
    assert control.read().code == 426
    assert control.at_end()


def abort(control: Control, _: socket.socket) -> None:
    assert control.codes("ABOR") == [426]
    assert control.read().code == 226


CUTS: list[Cut] = [reset_data, reset_control, end_control, half_close_control, abort]


def partial(root: Path, name: str = "file", owner: str = "me") -> Path:
    return root / os.fsdecode(names.partial(name.encode(), owner))


def cut_upload(running: Running, root: Path, how: Cut, verb: str = "STOR") -> None:
    """Send the first octets of the content with the verb and cut the upload short once the server has them all."""
    failures = sum(isinstance(event, TransferFailed) for event in running.recorded)
    with running.login() as control, control.passive() as data:
        assert control.ask(f"{verb} file").code == 150
        data.sendall(CONTENT[:CUT])
        running.await_condition(lambda: partial(root).exists() and partial(root).stat().st_size == CUT)
        how(control, data)
        running.await_condition(lambda: sum(isinstance(event, TransferFailed) for event in running.recorded) > failures)
    running.await_idle()


@pytest.mark.req("S-959-QUIT-3", "S-SEC-9")
@pytest.mark.parametrize("how", CUTS)
@pytest.mark.parametrize("old", [None, b"old content"])
def test_a_cut_upload_leaves_the_old_file_and_shows_nowhere(
    running: Running, root: Path, how: Cut, old: bytes | None
) -> None:
    if old is not None:
        (root / "file").write_bytes(old)
    cut_upload(running, root, how)
    kept = partial(root).name
    with running.login() as control:
        listed = b"file\r\n" if old is not None else b""
        assert control.fetch("NLST") == listed
        assert control.fetch("NLST -a").split() == [b".", b"..", *listed.split()]
        for command in ("LIST", "LIST -aR", "MLSD"):
            assert os.fsencode(kept) not in control.fetch(command)
        assert kept not in control.ask("STAT .").text
        for pattern in ("*", ".*", ".fairlead*"):
            if old is not None and pattern == "*":
                assert control.fetch(f"NLST {pattern}") == listed
            else:
                assert control.ask(f"NLST {pattern}").code == 450
        if old is None:
            assert control.ask("RETR file").code == 550
        else:
            assert control.fetch("RETR file") == old
            assert control.ask("SIZE file").text == str(len(old))
        for verb in ("RETR", "SIZE", "MDTM", "MLST", "DELE", "RNFR", "CWD", "RMD", "SITE CHMOD 600"):
            assert control.ask(f"{verb} {kept}").code == 550
        for verb in ("STOR", "APPE"):
            assert control.ask(f"{verb} {kept}").code == 553


@pytest.mark.req("S-3659-REST-5")
@pytest.mark.parametrize("how", CUTS)
@pytest.mark.parametrize("old", [None, b"old content", bytes(300_000), bytes(600_000)])
def test_a_cut_upload_is_resumed_by_rest_and_stor(running: Running, root: Path, how: Cut, old: bytes | None) -> None:
    if old is not None:
        (root / "file").write_bytes(old)
    cut_upload(running, root, how)
    with running.login() as control:
        if old is None:
            assert control.ask("SIZE file").text == str(CUT)
            assert f"size={CUT};" in control.ask("MLST file").text
        assert control.ask(f"REST {CUT}").code == 350
        assert control.store("STOR file", CONTENT[CUT:]).code == 226
        assert control.fetch("RETR file") == CONTENT
    assert [path.name for path in root.iterdir()] == ["file"]


@pytest.mark.req("S-959-APPE-1")
@pytest.mark.parametrize("how", CUTS)
def test_a_cut_upload_of_a_new_file_is_resumed_by_appe(running: Running, root: Path, how: Cut) -> None:
    cut_upload(running, root, how)
    with running.login() as control:
        assert control.ask("SIZE file").text == str(CUT)
        assert control.store("APPE file", CONTENT[CUT:]).code == 226
        assert control.fetch("RETR file") == CONTENT
    assert [path.name for path in root.iterdir()] == ["file"]


@pytest.mark.parametrize("how", CUTS)
def test_an_append_that_is_cut_short_leaves_the_file_as_it_was(running: Running, root: Path, how: Cut) -> None:
    old = CONTENT[:1000]
    (root / "file").write_bytes(old)
    failures = len(running.recorded)
    with running.login() as control, control.passive() as data:
        assert control.ask("APPE file").code == 150
        data.sendall(CONTENT[:CUT])
        how(control, data)
        running.await_condition(lambda: any(isinstance(event, TransferFailed) for event in running.recorded[failures:]))
    running.await_idle()
    assert (root / "file").read_bytes() == old
    with running.login() as control:
        assert control.ask("SIZE file").text == "1000"
        assert control.store("APPE file", CONTENT[1000:]).code == 226
        assert control.fetch("RETR file") == CONTENT


def test_a_cut_upload_is_resumed_from_any_offset_before_the_cut(running: Running, root: Path) -> None:
    for offset in (CUT - 1, 100_000, 1):
        cut_upload(running, root, reset_control)
        with running.login() as control:
            assert control.ask(f"REST {offset}").code == 350
            assert control.store("STOR file", CONTENT[offset:]).code == 226
            assert control.fetch("RETR file") == CONTENT
            assert control.ask("DELE file").code == 250


@pytest.mark.req("S-3659-REST-7")
def test_an_upload_is_resumed_beyond_four_gibibytes(running: Running, root: Path) -> None:
    start, rest = 5_000_000_000, b"the rest"
    with partial(root).open("wb") as file:
        file.truncate(start)
    with running.login() as control:
        assert control.ask("SIZE file").text == str(start)
        assert control.ask(f"REST {start}").code == 350
        assert control.store("STOR file", rest).code == 226
        assert control.ask("SIZE file").text == str(start + len(rest))
        assert control.ask(f"REST {start - 4}").code == 350
        assert control.fetch("RETR file") == bytes(4) + rest


@pytest.mark.req("S-3659-REST-4")
def test_an_offset_beyond_what_came_is_refused(running: Running, root: Path) -> None:
    cut_upload(running, root, reset_control)
    with running.login() as control, control.open("EPSV"):
        assert control.ask(f"REST {CUT + 1}").code == 350
        assert control.ask("STOR file").code == 554
        assert control.ask("SIZE file").text == str(CUT)


def test_a_resumed_upload_can_be_cut_and_resumed_again(running: Running, root: Path) -> None:
    cut_upload(running, root, reset_control)
    with running.login() as control, control.passive() as data:
        assert control.ask(f"REST {CUT}").code == 350
        assert control.ask("STOR file").code == 150
        data.sendall(CONTENT[CUT : CUT + 100_000])
        running.await_condition(lambda: partial(root).stat().st_size == CUT + 100_000)
        reset_data(control, data)
    with running.login() as control:
        assert control.ask("SIZE file").text == str(CUT + 100_000)
        assert control.ask(f"REST {CUT + 100_000}").code == 350
        assert control.store("STOR file", CONTENT[CUT + 100_000 :]).code == 226
        assert control.fetch("RETR file") == CONTENT


def test_another_account_neither_sees_nor_continues_a_cut_upload(running: Running, root: Path) -> None:
    cut_upload(running, root, reset_control)
    with running.login("other") as control:
        assert control.ask("SIZE file").code == 550
        assert control.ask("MLST file").code == 550
        assert control.ask(f"REST {CUT}").code == 350
        with control.open("EPSV"):
            assert control.ask("STOR file").code == 554
        assert control.store("APPE file", b"theirs").code == 226
        assert control.fetch("RETR file") == b"theirs"
    with running.login() as control:
        assert control.fetch("RETR file") == b"theirs"
        assert control.ask(f"REST {CUT}").code == 350
        assert control.store("STOR file", CONTENT[CUT:]).code == 226
        assert control.fetch("RETR file") == CONTENT


@pytest.mark.req("S-959-STOR-1")
def test_a_cut_upload_does_not_get_into_the_way_of_a_new_one(running: Running, root: Path) -> None:
    cut_upload(running, root, reset_control)
    with running.login() as control:
        assert control.store("STOR file", b"anew").code == 226
        assert control.fetch("RETR file") == b"anew"
    assert [path.name for path in root.iterdir()] == ["file"]


@pytest.mark.parametrize("users", [("me", "me"), ("me", "other")])
@pytest.mark.parametrize("first", [0, 1])
def test_of_two_uploads_of_one_name_the_last_to_end_stays_whole(
    running: Running, root: Path, users: tuple[str, str], first: int
) -> None:
    contents = [b"a" * 300_000, b"b" * 200_000]
    with (
        running.login(users[0]) as one,
        running.login(users[1]) as two,
        one.passive() as one_data,
        two.passive() as two_data,
    ):
        controls, data = [one, two], [one_data, two_data]
        for number in (0, 1):
            assert controls[number].ask("STOR file").code == 150
            data[number].sendall(contents[number][:150_000])
        for number in (first, 1 - first):
            data[number].sendall(contents[number][150_000:])
            data[number].close()
            assert controls[number].read().code == 226
            assert (root / "file").read_bytes() == contents[number]
    assert [path.name for path in root.iterdir()] == ["file"]


def test_the_second_of_two_uploads_goes_on_where_the_first_is_cut(running: Running, root: Path) -> None:
    with running.login() as one, running.login() as two, one.passive() as one_data, two.passive() as two_data:
        assert one.ask("STOR file").code == 150
        one_data.sendall(CONTENT[:CUT])
        running.await_condition(lambda: partial(root).stat().st_size == CUT)
        assert two.ask(f"REST {CUT}").code == 350
        assert two.ask("STOR file").code == 150
        reset_control(one, one_data)
        running.await_event(SessionClosed)
        two_data.sendall(CONTENT[CUT:])
        two_data.close()
        assert two.read().code == 226
        assert two.fetch("RETR file") == CONTENT


@pytest.mark.req("S-959-QUIT-3")
@pytest.mark.parametrize("size", [0, 1000, CUT])
def test_a_client_that_is_killed_does_not_pass_for_one_that_is_done(running: Running, root: Path, size: int) -> None:
    (root / "file").write_bytes(b"old content")
    with running.login() as control, control.passive() as data:
        assert control.ask("STOR file").code == 150
        data.sendall(CONTENT[:size])
        running.await_condition(lambda: has_moved(running, size))
        with running.held():
            control.close()
            data.close()
            see_data_first(running)
        running.await_event(TransferFailed)
    running.await_idle()
    assert (root / "file").read_bytes() == b"old content"
    if size:
        assert partial(root).read_bytes() == CONTENT[:size]


@pytest.mark.req("S-959-QUIT-2")
@pytest.mark.parametrize("size", [0, 1000, CUT])
def test_a_client_that_says_quit_and_leaves_is_done(running: Running, root: Path, size: int) -> None:
    with running.login() as control, control.passive() as data:
        assert control.ask("STOR file").code == 150
        data.sendall(CONTENT[:size])
        running.await_condition(lambda: has_moved(running, size))
        with running.held():
            control.send("QUIT")
            control.socket.shutdown(socket.SHUT_WR)
            data.close()
            see_data_first(running)
        assert control.read_codes(2) == [226, 221]
    assert (root / "file").read_bytes() == CONTENT[:size]


def see_data_first(running: Running) -> None:
    """Have a held server look at data connections before it looks at control connections."""
    readiness = running.server.readiness
    assert isinstance(readiness, Readiness)
    running.loop.call_soon_threadsafe(readiness._wake)


@pytest.mark.req("S-1123-STOU-1", "S-959-QUIT-3")
@pytest.mark.parametrize("how", CUTS)
def test_a_cut_stou_leaves_nothing(running: Running, how: Cut) -> None:
    with running.login() as control, control.passive() as data:
        assert control.ask("STOU").code == 150
        data.sendall(b"some")
        how(control, data)
        running.await_event(TransferFailed)
    running.await_idle()
    with running.login() as control:
        assert control.fetch("NLST") == b""


def cut_text(control: Control, data: socket.socket, running: Running, text: bytes) -> None:
    failures = len(running.recorded)
    assert control.ask("TYPE A").code == 200
    assert control.ask("STOR file").code == 150
    data.sendall(text)
    running.await_condition(lambda: has_moved(running, len(text)))
    reset(data)
    assert control.read().code == 426
    running.await_condition(lambda: any(isinstance(event, TransferFailed) for event in running.recorded[failures:]))


def has_moved(running: Running, octets: int) -> bool:
    def moved() -> bool:
        return any(s.transfer is not None and s.transfer.moved == octets for s in running.server.sessions())

    return bool(running.call(moved))


@pytest.mark.req("S-3659-REST-3", "S-3659-REST-5")
@pytest.mark.parametrize("store", [LocalStorage, MemoryStorage])
@pytest.mark.parametrize("old", [None, b"\n\n\n", b"an old one that is much longer\n" * 3])
@pytest.mark.parametrize("cut", [1, 2, 3, 4, 6])
def test_a_cut_text_is_resumed_where_it_was_cut_whatever_stands_under_the_name(
    root: Path, store: type[LocalStorage | MemoryStorage], old: bytes | None, cut: int
) -> None:
    text = b"a\r\nb\r\nc\r\n"
    with ExitStack() as stack:
        storage = MemoryStorage() if store is MemoryStorage else stack.enter_context(closing(LocalStorage(root)))
        accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
        running = stack.enter_context(serving(storage, accounts=accounts))
        control = stack.enter_context(running.login())
        if old is not None:
            assert control.store("STOR file", old).code == 226
        with control.passive() as data:
            cut_text(control, data, running, text[:cut])
        came = len(text[:cut].removesuffix(b"\r"))  # a CR waits for what may follow it, and is not kept
        if old is None:
            assert control.ask("SIZE file").text == str(came)
        assert control.ask(f"REST {came}").code == 350
        assert control.store("STOR file", text[came:]).code == 226
        assert control.fetch("RETR file") == text
