"""A session as the server's bus tells it, made into a ladder."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.events import (
    Bus,
    CommandReceived,
    ControlLost,
    DataConnected,
    Event,
    LoginSucceeded,
    PassiveUncalled,
    ReplySent,
    SessionClosed,
    SessionOpened,
    TransferFailed,
)
from fairlead.ladder import text
from fairlead.ladder.model import CONTROL, Kind, Ladder, Step
from fairlead.server.ladder import Recorder
from fairlead.storage.local import LocalStorage
from tests.certificates import Pair
from tests.server.secure import login, settings
from tests.server.session import Running, serving

UNCALLED = PassiveUncalled(
    session=1,
    peer="127.0.0.1",
    user="me",
    port=1,
    mode="EPSV",
    seconds=1.0,
    cause="passive-dropped",
    reason="nobody called",
)

WHERE: dict[str, Any] = {"session": 1, "peer": "192.0.2.7"}
OPENED = SessionOpened(**WHERE, local="::ffff:192.0.2.21 port 21", peer_port=40000)


def command(verb: str, argument: str = "") -> CommandReceived:
    return CommandReceived(**WHERE, verb=verb, argument=argument)


def reply(code: int, text: str) -> ReplySent:
    return ReplySent(**WHERE, code=code, text=text)


def failed(verb: str, cause: str, *, size: int = 0) -> TransferFailed:
    return TransferFailed(
        **WHERE,
        user="me",
        verb=verb,
        path="/f",
        size=size,
        seconds=1.0,
        mode="PASV",
        code=426,
        cause=cause,
        reason="it did not go well",
    )


def told(*events: Event) -> Ladder:
    """What a recorder makes of ``events``."""
    bus, ticks = Bus(), count()
    recorder = Recorder(bus, clock=lambda: next(ticks) / 1000, now=lambda: 0.0)
    for event in (OPENED, *events):
        bus.emit(event)
    return recorder.ladder()


@contextmanager
def recorded(root: Path, **settings: Any) -> Iterator[tuple[Running, Recorder]]:
    storage = LocalStorage(root, durability="relaxed")
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    with serving(storage, accounts=accounts, login_delay=0, **settings) as running:
        yield running, running.call(lambda: Recorder(running.server.events))


def said(ladder: Ladder) -> list[str]:
    """The dialogue, and what the data connections did."""
    return [step.text if step.kind in {Kind.COMMAND, Kind.REPLY} else str(step.kind) for step in ladder.steps]


def data(ladder: Ladder, number: int = 1) -> list[Step]:
    return [step for step in ladder.steps if step.connection == number]


def kinds(steps: list[Step]) -> list[Kind]:
    return [step.kind for step in steps]


def test_a_session_is_drawn_from_its_first_call_to_its_end(root: Path) -> None:
    (root / "file").write_bytes(b"content")
    with recorded(root) as (running, recorder):
        with running.login() as control:
            assert control.fetch("RETR file", "EPSV") == b"content"
            assert control.ask("QUIT").code == 221
            peer = control.socket.getsockname()
        running.await_event(SessionClosed)
        ladder = recorder.ladder()

    assert [(party.name, party.address) for party in ladder.parties] == [
        ("client", "127.0.0.1"),
        ("server", "127.0.0.1"),
    ]
    first = ladder.steps[0]
    assert (first.kind, first.at, first.source.port) == (Kind.SYN, 0, peer[1])
    assert "PASS ****" in said(ladder)
    assert "secret" not in text.draw(ladder)
    assert kinds(data(ladder)) == [Kind.LISTEN, Kind.SYN, Kind.SYN_ACK, Kind.DATA, Kind.FIN]
    listens, syn, _, moved, _ = data(ladder)
    assert syn.target is not None
    assert (syn.source.party, syn.target.port) == ("client", listens.source.port)
    assert (moved.source.party, moved.size) == ("server", 7)
    assert not [step for step in ladder.steps if step.cause]
    assert (ladder.steps[-1].kind, ladder.steps[-1].connection) == (Kind.NOTE, CONTROL)


def test_in_active_mode_the_server_calls(root: Path) -> None:
    with recorded(root) as (running, recorder), running.login() as control:
        assert control.store("STOR new", b"12345", "PORT").code == 226
        syn, _, moved, _ = data(recorder.ladder())

    assert syn.target is not None
    assert (syn.kind, syn.source.party, syn.target.party) == (Kind.SYN, "server", "client")
    assert (moved.source.party, moved.size) == ("client", 5)


def test_call_that_is_refused_meets_a_reset(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with recorded(root) as (running, recorder), running.login() as control:
        assert control.ask(f"EPRT |1|127.0.0.1|{port}|").code == 200
        assert control.codes("LIST", "NOOP")[:1] == [150]
        running.await_event(TransferFailed)
        syn, rst = data(recorder.ladder())

    assert (syn.kind, rst.kind, rst.cause) == (Kind.SYN, Kind.RST, "active-rejected")
    assert rst.source.port == port


def test_port_that_nobody_called_shows_the_call_that_was_due(root: Path) -> None:
    with recorded(root, data_connect_timeout=0.2) as (running, recorder), running.login() as control:
        assert control.ask("PASV").code == 227
        assert control.ask("LIST").code == 150
        failed = running.await_event(TransferFailed)
        listens, syn = data(recorder.ladder())

    assert syn.target == listens.source
    assert (syn.source.party, syn.arrived, syn.cause) == ("client", False, failed.cause)


def test_client_that_gives_up_a_passive_port_shows_it_too(root: Path) -> None:
    with recorded(root) as (running, recorder), running.login() as control:
        assert control.ask("EPSV").code == 229
        running.call(lambda: running.server.events.emit(UNCALLED))
        steps = data(recorder.ladder())

    assert [(step.kind, step.cause) for step in steps] == [(Kind.LISTEN, ""), (Kind.SYN, "passive-dropped")]


def test_login_that_is_refused_is_marked(root: Path) -> None:
    with recorded(root) as (running, recorder), running.connect() as control:
        assert control.codes("USER me", "PASS wrong") == [331, 530]
        marked = [step for step in recorder.ladder().steps if step.cause]

    assert [step.cause for step in marked] == ["login-refused"]


def test_tls_stands_where_it_began(root: Path, pair: Pair, context: ssl.SSLContext) -> None:
    (root / "file").write_bytes(b"content")
    with recorded(root, tls=settings(pair)) as (running, recorder), login(running, context) as control:
        assert control.fetch("RETR file") == b"content"
        steps = recorder.ladder().steps

    assert kinds(data(recorder.ladder())) == [Kind.LISTEN, Kind.SYN, Kind.SYN_ACK, Kind.TLS, Kind.DATA, Kind.FIN]
    lines = [step.text for step in steps]
    place = next(number for number, step in enumerate(steps) if step.kind is Kind.TLS)
    assert steps[place].text.startswith("TLSv1.")
    assert lines[place - 1].startswith("234")


def test_other_sessions_are_not_mixed_in(root: Path) -> None:
    with recorded(root) as (running, recorder), running.login() as control, running.login():
        assert control.ask("NOOP").code == 200
        lines = said(recorder.ladder())

    assert lines.count("USER me") == 1
    assert "NOOP" in lines


def test_stopped_recorder_hears_no_more_and_costs_nothing(root: Path) -> None:
    with recorded(root) as (running, recorder), running.login() as control:
        running.call(recorder.stop)
        before = recorder.ladder()
        assert control.ask("NOOP").code == 200
        assert recorder.ladder() == before


MADE = DataConnected(**WHERE, local=("192.0.2.21", 50000), remote=("192.0.2.7", 40001), calls=False)
PASSIVE = (command("PASV"), reply(227, "Entering Passive Mode (192,0,2,21,195,80)"))


def test_addresses_are_those_of_ipv4_where_it_is_ipv4() -> None:
    assert [party.address for party in told().parties] == ["192.0.2.7", "192.0.2.21"]


def test_reply_of_several_lines_is_as_on_the_wire() -> None:
    assert told(reply(211, "Extensions:\n MLST\nEnd")).steps[-1].text == "211-Extensions:\n MLST\n211 End"


def test_control_connection_that_is_lost_is_noted() -> None:
    lost = ControlLost(**WHERE, user="me", seconds=3.0, cause="control-forgotten", reason="nobody there")
    assert [(step.note, step.cause) for step in told(lost).steps[-1:]] == [("nobody there", "control-forgotten")]


@pytest.mark.parametrize(
    ("cause", "kind"), [("data-cut", Kind.RST), ("data-stalled", Kind.NOTE), ("storage", Kind.NOTE)]
)
def test_transfer_that_breaks_off_shows_what_moved_and_how_it_ended(cause: str, kind: Kind) -> None:
    steps = data(told(*PASSIVE, MADE, failed("STOR", cause, size=5)))

    assert kinds(steps) == [Kind.LISTEN, Kind.SYN, Kind.SYN_ACK, Kind.DATA, kind]
    assert (steps[-2].source.party, steps[-2].size, steps[-1].cause) == ("client", 5, cause)


def test_call_that_nobody_answered_has_no_answer() -> None:
    active = (command("PORT", "192,0,2,7,195,80"), reply(200, "ok"), command("LIST"))
    (syn,) = data(told(*active, failed("LIST", "active-dropped")))

    assert syn.target is not None
    assert (syn.target.port, syn.cause, syn.arrived) == (50000, "active-dropped", None)


def test_call_that_never_came_stands_behind_the_command_that_waited_for_it() -> None:
    for set_up, cause in (
        (PASSIVE, "passive-dropped"),
        ((command("PORT", "192,0,2,7,1,1"), reply(200, "ok")), "active-dropped"),
    ):
        steps = told(*set_up, command("LIST"), reply(150, "go"), failed("LIST", cause)).steps
        assert [step.text or step.kind.value for step in steps[-3:]] == ["LIST", "syn", "150 go"]


def test_implicit_tls_comes_after_the_call() -> None:
    login = LoginSucceeded(**WHERE, user="me", anonymous=False, password=None, tls="TLSv1.3 cipher")
    steps = told(reply(220, "ready"), login).steps
    assert [step.kind for step in steps] == [Kind.SYN, Kind.SYN_ACK, Kind.TLS, Kind.REPLY]


def test_transfer_without_a_data_port_that_was_set_is_told_all_the_same() -> None:
    assert kinds(data(told(command("RETR", "f"), MADE))) == [Kind.SYN, Kind.SYN_ACK]
    assert told(failed("RETR", "active-dropped")).steps[-1].cause == "active-dropped"


def test_replies_that_only_look_like_a_port_are_replies() -> None:
    assert data(told(command("PASV"), reply(227, "no port here"), command("PORT", "x"), reply(200, "ok"))) == []
