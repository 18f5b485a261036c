"""RETR, REST before it, and SIZE: which octets come, and from where."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.accounts.memory import MemoryAccounts
from fairlead.errors import Busy
from fairlead.events import TransferFailed, TransferFinished
from fairlead.proto.address import parse_epsv_reply
from fairlead.reach.cause import Cause
from fairlead.server.passive import PassivePort
from fairlead.storage.local import LocalStorage
from fairlead.storage.memory import MemoryStorage
from fairlead.storage.memory.transfer import MemorySource
from tests.server.session import DEADLINE, Control, Running, receive, reset, serving

texts = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"line", b"\xff", b"\0"]), max_size=12).map(b"".join)


def as_sent(content: bytes, kind: str) -> bytes:
    return content.replace(b"\n", b"\r\n") if kind == "A" else content


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[Running]:
    """One server for many examples."""
    with (
        closing(LocalStorage(folder, durability="relaxed")) as storage,
        serving(storage, accounts=MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)) as running,
    ):
        yield running


@pytest.fixture
def session(shared: Running) -> Iterator[Control]:
    with shared.login() as control:
        yield control


@contextmanager
def session_with(storage: MemoryStorage, **settings: object) -> Iterator[Control]:
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    with serving(storage, accounts=accounts, **settings) as running, running.login() as control:
        yield control


@pytest.mark.req("S-959-RETR-1", "S-959-DC-2", "S-ERR-4")
@pytest.mark.parametrize("path", ["missing", "missing/file", "file/below", "directory", "fifo", "/", "leads-out"])
def test_what_cannot_be_sent_is_refused_and_the_data_connection_is_left_alone(
    control: Control, root: Path, path: str
) -> None:
    (root / "file").write_text("content")
    (root / "directory").mkdir()
    (root.parent / "outside").write_text("not served")
    (root / "leads-out").symlink_to("../outside")
    os.mkfifo(root / "fifo")
    with control.open("EPSV") as data:
        refusal = control.ask(f"RETR {path}")
        assert refusal.code == 550
        assert str(root) not in refusal.text
        assert control.ask("RETR file").code == 150
        assert data.recv(100) == b"content"
        assert data.recv(100) == b""
    assert control.read().code == 226


@contextmanager
def narrow(running: Running, control: Control) -> Iterator[socket.socket]:
    """A data connection on which little can be under way."""
    port = parse_epsv_reply(control.ask("EPSV").text)
    (listening,) = (session.port for session in running.server.sessions())
    assert isinstance(listening, PassivePort)
    with socket.socket(fileno=os.dup(listening.fileno())) as listener, socket.socket() as data:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        data.settimeout(DEADLINE)
        data.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        data.connect(("127.0.0.1", port))
        yield data


def test_a_small_file_that_the_connection_takes_in_pieces_comes_whole(
    running: Running, control: Control, root: Path
) -> None:
    content = bytes(range(256)) * 256
    (root / "file").write_bytes(content)
    with narrow(running, control) as data:
        assert control.ask("RETR file").code == 150
        assert running.await_work() == "RETR /file", "not all of it went at once"
        assert receive(data) == content
    assert control.read().code == 226
    assert running.await_event(TransferFinished).size == len(content)


def test_a_small_file_in_pieces_can_be_stopped(running: Running, control: Control, root: Path) -> None:
    (root / "file").write_bytes(bytes(65536))
    with narrow(running, control):
        assert control.ask("RETR file").code == 150
        assert running.await_work() == "RETR /file"
        assert control.ask("ABOR").code == 426
        assert control.read().code == 226


def test_a_small_file_for_a_client_that_has_reset_the_connection_is_a_failed_transfer(
    running: Running, control: Control, root: Path
) -> None:
    (root / "file").write_bytes(b"content")
    reset(socket.create_connection(("127.0.0.1", parse_epsv_reply(control.ask("EPSV").text)), DEADLINE))
    assert control.ask("RETR file").code == 150
    assert control.read().code == 426
    assert running.await_event(TransferFailed).cause == Cause.DATA_CUT
    assert control.ask("NOOP").code == 200


class BusyStorage(MemoryStorage):
    """A store whose files are all in use by somebody."""

    def open(self, path: str, *, owner: str | None = None) -> MemorySource:
        raise Busy(path)

    def remove(self, path: str) -> None:
        raise Busy(path)


@pytest.mark.req("S-959-RETR-1", "S-959-DELE-1", "S-ERR-5")
def test_a_busy_file_is_told_from_a_missing_one() -> None:
    with session_with(BusyStorage()) as control:
        assert control.store("STOR file", b"x").code == 226
        assert control.ask("RETR file").code == 450
        assert control.ask("DELE file").code == 450
        assert control.ask("DELE other").code == 450


@pytest.mark.req("S-3659-REST-3", "S-959-ASC-1")
@settings(max_examples=60, deadline=None)
@given(content=texts, kind=st.sampled_from("AI"), data=st.data())
def test_from_any_offset_comes_the_rest_of_what_comes_from_the_start(
    shared: Running, folder: Path, content: bytes, kind: str, data: st.DataObject
) -> None:
    (folder / "file").write_bytes(content)
    with shared.login() as session:
        assert session.ask(f"TYPE {kind}").code == 200
        full = session.fetch("RETR file")
        assert full == as_sent(content, kind)
        offset = data.draw(st.integers(0, len(full)))
        assert session.ask(f"REST {offset}").code == 350
        assert session.fetch("RETR file") == full[offset:]


@pytest.mark.req("S-3659-REST-3")
@pytest.mark.parametrize("kind", ["A", "I", "L 8"])
def test_offsets_reach_into_long_files(session: Control, folder: Path, kind: str) -> None:
    content = b"".join(b"%d\n" % number for number in range(100_000))
    (folder / "file").write_bytes(content)
    assert session.ask(f"TYPE {kind}").code == 200
    sent = as_sent(content, kind)
    for offset in (1, 65_535, 65_536, 262_143, 262_144, 262_145, 500_001, len(sent) - 1, len(sent)):
        assert session.ask(f"REST {offset}").code == 350
        assert session.fetch("RETR file") == sent[offset:]


@pytest.mark.req("S-3659-SIZE-1", "S-3659-SIZE-2")
@settings(max_examples=60, deadline=None)
@given(content=texts, kind=st.sampled_from(["A", "A T", "I", "L 8"]))
def test_size_is_what_retr_sends(shared: Running, folder: Path, content: bytes, kind: str) -> None:
    (folder / "file").write_bytes(content)
    with shared.login() as session:
        assert session.ask(f"TYPE {kind}").code == 200
        reply = session.ask("SIZE file")
        assert (reply.code, reply.lines) == (213, (str(len(session.fetch("RETR file"))),))


@pytest.mark.req("S-3659-SIZE-2")
def test_size_under_type_a_counts_the_line_ends_as_the_example_of_the_rfc(session: Control, folder: Path) -> None:
    lines = b"fifteen octets.\n" * 111
    (folder / "file").write_bytes(lines + b"x" * (1830 - len(lines) - 1) + b"\n")
    assert session.ask("TYPE I").code == 200
    assert session.ask("SIZE file").text == "1830"
    assert session.ask("TYPE A").code == 200
    assert session.ask("SIZE file").text == "1942"


@pytest.mark.req("S-3659-SIZE-2")
def test_size_under_type_a_is_refused_where_counting_would_cost_too_much() -> None:
    with session_with(MemoryStorage(), ascii_size_limit=10) as control:
        assert control.store("STOR file", b"eleven\noct\n").code == 226
        assert control.ask("SIZE file").text == "11"
        assert control.ask("TYPE A").code == 200
        assert control.ask("SIZE file").code == 550


@pytest.mark.req("S-3659-SIZE-3", "S-ERR-4")
@pytest.mark.parametrize("kind", ["A", "I"])
def test_size_of_what_is_no_file_is_refused(control: Control, root: Path, kind: str) -> None:
    (root / "directory").mkdir()
    (root / "dangling").symlink_to("nowhere")
    assert control.ask(f"TYPE {kind}").code == 200
    for path in ("directory", "missing", "directory/missing", "/", "dangling"):
        assert control.ask(f"SIZE {path}").code == 550


@pytest.mark.req("S-3659-REST-1")
def test_rest_takes_a_number_and_nothing_else(control: Control) -> None:
    for argument in ("0", "1", "000012", "4294967296", str(2**63 - 1), str(2**63), str(2**64 - 1), "9" * 5000):
        assert control.ask(f"REST {argument}").code == 350, argument
    for argument in ("", " ", "-1", "+1", "0x10", "1 ", "1.5", "1e3", "ten", "١", "1,2"):
        assert control.ask(f"REST {argument}").code == 501, argument


@pytest.mark.req("S-3659-REST-1", "S-3659-REST-4", "S-ERR-6")
@pytest.mark.parametrize("kind", ["A", "I"])
@pytest.mark.parametrize("verb", ["RETR", "STOR", "APPE"])
def test_an_offset_beyond_the_end_is_refused_at_the_transfer(
    control: Control, root: Path, kind: str, verb: str
) -> None:
    (root / "file").write_bytes(b"a\nb\n")
    assert control.ask(f"TYPE {kind}").code == 200
    for offset in (7, 65_536, 2**40, 2**63 - 1, 2**63, 2**64 - 1, int("9" * 100)):
        assert control.ask(f"REST {offset}").code == 350
        with control.open("EPSV"):
            assert control.ask(f"{verb} file").code == 554
    assert (root / "file").read_bytes() == b"a\nb\n"
    assert control.fetch("RETR file") == as_sent(b"a\nb\n", kind)


@pytest.mark.req("S-3659-REST-4")
@pytest.mark.parametrize("kind", ["A", "I"])
def test_an_offset_at_the_end_leaves_nothing_to_send(control: Control, root: Path, kind: str) -> None:
    content = b"a\nb\n"
    (root / "file").write_bytes(content)
    assert control.ask(f"TYPE {kind}").code == 200
    assert control.ask(f"REST {len(as_sent(content, kind))}").code == 350
    assert control.fetch("RETR file") == b""


@pytest.mark.req("S-3659-REST-2")
@pytest.mark.parametrize(
    "between", [("EPSV",), ("PASV",), ("NOOP",), ("TYPE I",), ("NOOP", "TYPE I", "PASV", "EPSV")], ids=" ".join
)
def test_an_offset_outlives_what_prepares_the_transfer(control: Control, root: Path, between: tuple[str, ...]) -> None:
    (root / "file").write_bytes(b"0123456789")
    assert control.ask("REST 4").code == 350
    for command in between:
        assert control.ask(command).kind == 2
    assert control.fetch("RETR file") == b"456789"


@pytest.mark.req("S-3659-REST-2")
@pytest.mark.parametrize("mode", ["PORT", "EPRT"])
def test_an_offset_outlives_the_address_of_an_active_transfer(control: Control, root: Path, mode: str) -> None:
    (root / "file").write_bytes(b"0123456789")
    assert control.ask("REST 4").code == 350
    assert control.fetch("RETR file", mode) == b"456789"


@pytest.mark.req("S-3659-REST-2")
@pytest.mark.parametrize(
    "between",
    "CWD .|PWD|SIZE file|MDTM file|MLST file|STAT|HELP|FEAT|SYST|CLNT x|OPTS UTF8 ON|DELE other|MKD new|RNFR file"
    "|ALLO 1|STRU F|MODE S|SITE HELP|ABOR|MFMT 20200101000000 file".split("|"),
)
def test_an_offset_does_not_outlive_another_command(control: Control, root: Path, between: str) -> None:
    (root / "file").write_bytes(b"0123456789")
    (root / "other").write_bytes(b"")
    assert control.ask("REST 4").code == 350
    assert control.ask(between).kind in {2, 3}
    assert control.fetch("RETR file") == b"0123456789"


@pytest.mark.req("S-3659-REST-2")
@pytest.mark.parametrize("first", ["LIST", "NLST", "MLSD", "RETR file", "RETR missing", "RETR directory"])
def test_an_offset_is_used_up_by_one_transfer_however_that_ends(control: Control, root: Path, first: str) -> None:
    (root / "file").write_bytes(b"0123456789")
    (root / "directory").mkdir()
    assert control.ask("REST 4").code == 350
    with control.open("EPSV") as data:
        reply = control.ask(first)
        if reply.preliminary:
            while data.recv(100):
                pass
            assert control.read().code == 226
    assert control.fetch("RETR file") == b"0123456789"


@pytest.mark.req("S-3659-REST-2")
def test_the_last_offset_given_counts(control: Control, root: Path) -> None:
    (root / "file").write_bytes(b"0123456789")
    assert control.ask("REST 4").code == 350
    assert control.ask("REST 7").code == 350
    assert control.fetch("RETR file") == b"789"
    assert control.ask("REST 4").code == 350
    assert control.ask("REST 0").code == 350
    assert control.fetch("RETR file") == b"0123456789"


@pytest.mark.req("S-3659-REST-7", "S-959-IMG-1")
def test_offsets_have_64_bits(control: Control, root: Path) -> None:
    start, end = 5_000_000_000, b"the end of a file of 5 GB"
    with (root / "sparse").open("wb") as file:
        file.seek(start)
        file.write(end)
    assert control.ask("SIZE sparse").text == str(start + len(end))
    assert control.ask(f"REST {start}").code == 350
    assert control.fetch("RETR sparse") == end
    assert control.ask(f"REST {start - 100_000}").code == 350
    assert control.fetch("RETR sparse") == bytes(100_000) + end
