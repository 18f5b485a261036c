"""Data connections that outlive a transfer, for the next one (RFC 959 section 3.3)."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.events import SessionClosed, TransferFailed
from fairlead.proto.codec import Representation
from fairlead.storage.local import LocalStorage
from fairlead.storage.memory import MemoryStorage
from fairlead.storage.memory.transfer import MemoryUpload
from tests.certificates import Pair
from tests.proto.codec.ways import octets, wire
from tests.server.represented import IMAGE, choose, name, receive_marked
from tests.server.secure import login, protected
from tests.server.session import Control, Running, receive, reset, serving

BLOCK, COMPRESSED = IMAGE._replace(mode="B"), IMAGE._replace(mode="C")
MODES = pytest.mark.parametrize("representation", [BLOCK, COMPRESSED], ids=name)
END = b"\x40\0\0"


def fetch(control: Control, data: socket.socket, representation: Representation, *, code: int = 125) -> bytes:
    """RETR over a connection that stays."""
    assert control.ask("RETR file").code == code
    _, pieces = receive_marked(data, representation)
    assert control.read().code == 250
    return octets(pieces)


def kept(control: Control, root: Path, representation: Representation = BLOCK) -> socket.socket:
    """A connection that outlived a transfer."""
    (root / "file").write_bytes(b"content")
    choose(control, representation)
    data = control.passive()
    assert fetch(control, data, representation, code=150) == b"content"
    return data


@pytest.mark.req("S-959-BLK-6", "S-959-DC-1", "S-959-DC-6")
@MODES
def test_one_connection_carries_many_transfers(control: Control, root: Path, representation: Representation) -> None:
    with kept(control, root, representation) as data:
        for number in range(20):
            content = bytes((number,)) * number * 10_000
            assert control.ask("STOR file").code == 125
            data.sendall(wire(representation, content))
            assert control.read().code == 250
            assert fetch(control, data, representation) == content
        assert control.ask("NLST").code == 125
        _, pieces = receive_marked(data, representation._replace(type="A"))
        assert octets(pieces) == b"file\n"
        assert control.read().code == 250


@pytest.mark.req("S-959-BLK-6", "S-959-DP-4")
@MODES
@pytest.mark.parametrize("mode", ["PORT", "EPRT"])
def test_the_server_calls_once_for_many_transfers_and_again_when_the_connection_is_gone(
    control: Control, root: Path, representation: Representation, mode: str
) -> None:
    (root / "file").write_bytes(b"content")
    choose(control, representation)
    with control.active(mode) as listener:
        for _ in range(2):
            assert control.ask("RETR file").code == 150
            data, _ = listener.accept()
            with data:
                data.settimeout(10)
                assert octets(receive_marked(data, representation)[1]) == b"content"
                assert control.read().code == 250
                assert fetch(control, data, representation) == b"content"
                assert fetch(control, data, representation) == b"content"


@pytest.mark.req("S-959-BLK-6")
def test_a_long_file_comes_whole_before_the_reply(running: Running, root: Path) -> None:
    content = bytes(range(256)) * 12_000
    with running.login() as control, control.narrow() as data:
        choose(control, BLOCK)
        (root / "file").write_bytes(content)
        assert fetch(control, data, BLOCK, code=150) == content
        assert fetch(control, data, BLOCK) == content


@pytest.mark.req("S-959-BLK-6")
def test_what_comes_before_its_command_is_kept_for_it(control: Control, root: Path) -> None:
    first, second, third = (wire(BLOCK, content) for content in (b"first", b"second", b"third"))
    choose(control, BLOCK)
    with control.passive() as data:
        assert control.ask("STOR first").code == 150
        data.sendall(first + second + third[:4])
        assert control.read().code == 250
        assert control.codes("NOOP", "TYPE I") == [200, 200]
        assert control.ask("STOR second").code == 125
        assert control.read().code == 250
        (root / "file").write_bytes(b"content")
        assert fetch(control, data, BLOCK) == b"content"
        assert control.ask("STOR third").code == 125
        data.sendall(third[4:])
        assert control.read().code == 250
    assert [(root / entry).read_bytes() for entry in ("first", "second", "third")] == [b"first", b"second", b"third"]


@pytest.mark.req("S-959-BLK-6")
def test_what_comes_early_may_be_a_plain_stream(control: Control, root: Path) -> None:
    choose(control, BLOCK)
    with control.passive() as data:
        assert control.ask("STOR first").code == 150
        data.sendall(wire(BLOCK, b"first") + b"sec")
        assert control.read().code == 250
        assert control.ask("MODE S").code == 200
        assert control.ask("STOR second").code == 125
        data.sendall(b"ond")
        data.close()
        assert control.read().code == 226
    assert (root / "second").read_bytes() == b"second"


@pytest.mark.req("S-959-DC-5")
def test_a_stream_is_the_last_transfer_of_a_connection(control: Control, root: Path) -> None:
    with kept(control, root) as data:
        assert control.ask("MODE S").code == 200
        assert control.ask("RETR file").code == 125
        assert receive(data) == b"content"
        assert control.read().code == 226
        assert "No data connection" in control.ask("STAT").text


def new_port(control: Control) -> None:
    control.active("EPRT").close()


def begin_anew(control: Control) -> None:
    assert control.ask("REIN").code == 220


def abort(control: Control) -> None:
    assert control.ask("ABOR").code == 226


def leave(control: Control) -> None:
    assert control.ask("QUIT").code == 221


ENDS: list[Callable[[Control], None]] = [
    new_port, begin_anew, abort, leave, lambda control: control.passive("PASV").close(),
    lambda control: control.passive("EPSV").close(), Control.close,
]  # fmt: skip


@pytest.mark.req("S-959-DC-5", "S-959-DP-6", "S-959-REIN-1")
@pytest.mark.parametrize("end", ENDS)
def test_the_server_closes_it_when_it_must(
    running: Running, control: Control, root: Path, end: Callable[[Control], None]
) -> None:
    with kept(control, root) as data:
        assert "data connection is open" in control.ask("STAT").text
        end(control)
        assert data.recv(1) == b""
    control.close()
    running.await_event(SessionClosed)
    running.await_idle()


@pytest.mark.req("S-959-DC-5", "S-959-DP-4")
def test_abor_closes_it_and_leaves_what_port_set(control: Control, root: Path) -> None:
    (root / "file").write_bytes(b"content")
    choose(control, BLOCK)
    with control.active("PORT") as listener:
        for _ in range(2):
            assert control.ask("RETR file").code == 150
            data, _ = listener.accept()
            with data:
                data.settimeout(10)
                receive_marked(data, BLOCK)
                assert control.read().code == 250
                assert control.ask("ABOR").code == 226
                assert data.recv(1) == b""


@pytest.mark.req("S-959-DC-2", "S-959-BLK-6")
def test_a_refused_transfer_leaves_it_alone(control: Control, root: Path) -> None:
    with kept(control, root) as data:
        assert control.codes("RETR missing", "STOR missing/file", "NLST missing") == [550, 553, 450]
        assert fetch(control, data, BLOCK) == b"content"


@pytest.mark.req("S-959-DC-5", "S-959-BLK-7")
def test_a_transfer_that_fails_closes_it(running: Running, control: Control, root: Path) -> None:
    with kept(control, root) as data:
        assert control.ask("STOR file").code == 125
        data.sendall(b"no blocks")
        assert control.read().code == 451
        assert data.recv(1) == b""
    assert (root / "file").read_bytes() == b"content"
    running.await_event(TransferFailed)


@pytest.mark.req("S-959-DC-5")
def test_a_transfer_that_is_stopped_closes_it(control: Control, root: Path) -> None:
    with kept(control, root) as data:
        assert control.ask("STOR file").code == 125
        data.sendall(b"\0\0\3ab")
        assert control.codes("ABOR") == [426]
        assert control.read().code == 226
        assert data.recv(1) == b""
    assert (root / "file").read_bytes() == b"content"


def test_a_transfer_whose_abor_came_first_closes_it(running: Running, control: Control, root: Path) -> None:
    with kept(control, root) as data:
        with running.held():
            control.send("NOOP\r\nRETR file\r\nABOR")
        assert control.read_codes(4) == [200, 125, 426, 226]
        assert data.recv(1) == b""


@pytest.mark.req("S-959-BLK-6", "S-2428-EPSV-5")
def test_when_the_client_closed_it_a_new_one_is_needed(running: Running, control: Control, root: Path) -> None:
    assert control.ask("EPSV ALL").code == 200
    for close in (socket.socket.close, reset):
        data = kept(control, root)
        close(data)
        running.settle()
        assert control.ask("RETR file").code == 503
    with kept(control, root) as data:
        assert fetch(control, data, BLOCK) == b"content"


def test_what_the_client_sent_before_it_closed_is_still_there(running: Running, control: Control, root: Path) -> None:
    for early in (False, True):
        with kept(control, root) as data:
            assert control.ask("STOR other").code == 125
            data.sendall(wire(BLOCK, b"other") + wire(BLOCK, b"more") * early)
            assert control.read().code == 250
            data.sendall(wire(BLOCK, b"more") * (not early))
        running.settle()
        assert control.ask("STOR more").code == 125
        assert control.read().code == 250
        assert (root / "more").read_bytes() == b"more"
        (root / "more").unlink()


@pytest.mark.req("S-959-DC-4", "S-959-BLK-6")
def test_a_client_that_breaks_it_while_the_rest_is_on_its_way_is_noticed(running: Running, root: Path) -> None:
    (root / "file").write_bytes(bytes(3_000_000))
    with running.login() as control:
        choose(control, BLOCK)
        with control.narrow() as data:
            assert control.ask("RETR file").code == 150
            data.recv(100_000)
            reset(data)
        assert control.read().code == 426


@pytest.mark.req("S-DF-IDLE-2")
def test_a_client_that_does_not_take_the_rest_is_given_up(root: Path) -> None:
    (root / "file").write_bytes(bytes(300_000))
    with closing(LocalStorage(root, durability="relaxed")) as storage:
        accounts = MemoryAccounts.sharing(storage, {"me": "secret"})
        with serving(storage, accounts=accounts, data_stall_timeout=0.2) as running, running.login() as control:
            choose(control, BLOCK)
            with control.narrow():
                assert control.codes("RETR file") == [150]
                assert control.read().code == 426


def test_a_passive_port_is_given_back_while_its_connection_is_kept(
    running: Running, control: Control, root: Path
) -> None:
    with kept(control, root) as data:
        assert running.call(lambda: running.server.pool.in_use) == 0
        assert fetch(control, data, BLOCK) == b"content"


@pytest.mark.req("S-959-DC-5")
def test_a_client_under_tls_is_told_when_it_is_closed(root: Path, pair: Pair, context: ssl.SSLContext) -> None:
    (root / "file").write_bytes(b"content")
    with (
        closing(LocalStorage(root, durability="relaxed")) as storage,
        protected(storage, pair) as running,
        login(running, context) as control,
    ):
        choose(control, BLOCK)
        with control.transfer("RETR file") as data:
            assert octets(receive_marked(data, BLOCK)[1]) == b"content"
            assert control.read().code == 250
            assert fetch(control, data, BLOCK) == b"content"
            assert control.ask("ABOR").code == 226
            assert data.recv(1) == b""
        with control.transfer("RETR file") as data:
            receive_marked(data, BLOCK)
            assert control.read().code == 250
        running.settle()
        assert control.codes("EPSV ALL", "RETR file") == [200, 503]


class Held(MemoryStorage):
    """Uploads are acknowledged once ``released`` is set, in a thread."""

    def __init__(self) -> None:
        super().__init__()
        self.committing, self.released = threading.Event(), threading.Event()

    def create(self, *arguments: Any, **settings: Any) -> MemoryUpload:
        upload = super().create(*arguments, **settings)
        commit = upload.commit

        def held() -> None:
            self.committing.set()
            assert self.released.wait(10)
            commit()

        upload.prompt, upload.commit = False, held  # type: ignore[method-assign]
        return upload


@pytest.mark.req("S-959-DC-5")
def test_a_connection_to_be_kept_ends_with_a_session_that_is_lost_meanwhile() -> None:
    storage = Held()
    with serving(storage, accounts=MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)) as running:
        control = running.login()
        choose(control, BLOCK)
        with control.passive() as data:
            assert control.ask("STOR file").code == 150
            data.sendall(wire(BLOCK, b"content"))
            assert storage.committing.wait(10)
            reset(control.socket)
            running.await_event(SessionClosed)
            storage.released.set()
            assert data.recv(1) == b""
        running.await_idle()
