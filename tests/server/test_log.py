from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.events import (
    Bus,
    Changed,
    CommandReceived,
    ControlLost,
    Event,
    LoginFailed,
    LoginSucceeded,
    Noticed,
    PassiveUncalled,
    Refused,
    SessionRefused,
    TransferFailed,
    TransferFinished,
)
from fairlead.server import log as log_module
from fairlead.server.log import JsonRecords, Log, TextRecords, sentence, string, word

NOON = 1057060357.1237  # 2003-07-01 11:52:37 UTC

WHO: Any = {"session": 7, "peer": "192.0.2.1"}
EVENTS: dict[str, Event] = {
    "login": LoginSucceeded(**WHO, user="alice", anonymous=False, password=None),
    "login under TLS": LoginSucceeded(
        **WHO, user="alice", anonymous=False, password=None, tls="TLSv1.3 TLS_AES_256_GCM_SHA384", certified=True
    ),
    "anonymous login": LoginSucceeded(**WHO, user="anonymous", anonymous=True, password="me@example.com"),
    "login-failed": LoginFailed(**WHO, user="bob", reason="Login incorrect."),
    "transfer": TransferFinished(
        **WHO, user="alice", verb="RETR", path="/a b.txt", size=1024, seconds=0.25, mode="EPSV"
    ),
    "transfer-failed": TransferFailed(
        **WHO,
        user="alice",
        verb="STOR",
        path="/in/x",
        size=10,
        seconds=1.5,
        mode="PORT",
        code=426,
        cause="data-cut",
        reason="the data connection broke",
    ),
    "refused": Refused(
        **WHO, user="alice", verb="STOR", path="/in/x", code=553, cause="storage", reason="Permission denied"
    ),
    "refused-port": Refused(
        **WHO, user="alice", verb="PORT", path="", code=504, cause="refused-by-policy", reason="I may not call that"
    ),
    "passive-uncalled": PassiveUncalled(
        **WHO, user="alice", port=61234, mode="EPSV", seconds=3.0, cause="passive-dropped", reason="Nobody called"
    ),
    "control-lost": ControlLost(
        **WHO, user="alice", seconds=600.0, cause="control-forgotten", reason="Connection timed out"
    ),
    "control-lost, nobody": ControlLost(**WHO, user="", seconds=1.0, cause="control-lost", reason="reset"),
    "storage fault": TransferFailed(
        **WHO,
        user="alice",
        verb="STOR",
        path="/in/x",
        size=10,
        seconds=1.5,
        mode="PORT",
        code=451,
        cause="storage",
        reason="Input/output error",
    ),
    "change": Changed(**WHO, user="alice", verb="RNTO", path="/new", detail="from /old"),
    "session-refused": SessionRefused(**WHO, reason="Too many sessions on this server, try again later."),
    "notice": Noticed(**WHO, topic="active", message="calling from any port: port 20 needs root"),
    "fault": Noticed(session=0, peer="", topic="fault", message="RETR failed: Traceback\n  line"),
}


class Timer:
    """Stands in for an event loop's ``call_later``: what is scheduled runs when told."""

    def __init__(self) -> None:
        self.due: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, delay: float, call: Callable[[], None]) -> None:
        self.due.append((delay, call))

    def elapse(self) -> None:
        due, self.due = self.due, []
        for _, call in due:
            call()


class Pipe:
    """A pipe with a log at its writing end."""

    def __init__(self, *, blocking: bool) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        os.set_blocking(self.writing, blocking)

    def read(self) -> bytes:
        """All that is there."""
        pieces = []
        try:
            while piece := os.read(self.reading, 1 << 20):
                pieces.append(piece)
        except BlockingIOError:
            pass
        return b"".join(pieces)

    def close_reading(self) -> None:
        os.close(self.reading)
        self.reading = -1

    def close(self) -> None:
        for end in (self.reading, self.writing):
            if end >= 0:
                os.close(end)


@pytest.fixture(params=[False, True], ids=["non-blocking", "blocking"])
def pipe(request: pytest.FixtureRequest) -> Iterator[Pipe]:
    made = Pipe(blocking=request.param)
    yield made
    made.close()


def log_to(descriptor: int, timer: Timer, format: Literal["text", "json"] = "text") -> Bus:  # noqa: A002
    bus = Bus()
    Log(descriptor, format, timer, lambda: NOON).attach(bus)
    return bus


def text_of(event: Event) -> str:
    return TextRecords(lambda: NOON, 99).formats()[type(event)](event)


def json_of(event: Event) -> dict[str, Any]:
    line = JsonRecords(lambda: NOON, 99).formats()[type(event)](event)
    assert line.endswith("}\n")
    assert line.isascii()
    record = json.loads(line)
    assert isinstance(record, dict)
    return record


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("login", "info    99.7 192.0.2.1 alice logged in"),
        (
            "login under TLS",
            "info    99.7 192.0.2.1 alice logged in by certificate over TLSv1.3 TLS_AES_256_GCM_SHA384",
        ),
        ("anonymous login", "info    99.7 192.0.2.1 anonymous logged in as me@example.com"),
        ("login-failed", "warning 99.7 192.0.2.1 bob login refused: Login incorrect."),
        ("transfer", 'info    99.7 192.0.2.1 alice RETR "/a b.txt" 1024 octets in 0.250 s (EPSV)'),
        (
            "transfer-failed",
            (
                "warning 99.7 192.0.2.1 alice STOR /in/x failed with 426 after 10 octets in 1.500 s (PORT):"
                " the data connection broke (data-cut)"
            ),
        ),
        (
            "storage fault",
            (
                "error   99.7 192.0.2.1 alice STOR /in/x failed with 451 after 10 octets in 1.500 s (PORT):"
                " Input/output error (storage)"
            ),
        ),
        ("refused", "warning 99.7 192.0.2.1 alice STOR /in/x refused with 553: Permission denied (storage)"),
        (
            "refused-port",
            "warning 99.7 192.0.2.1 alice PORT refused with 504: I may not call that (refused-by-policy)",
        ),
        (
            "passive-uncalled",
            "warning 99.7 192.0.2.1 alice EPSV port 61234 was given up after 3.000 s: Nobody called (passive-dropped)",
        ),
        (
            "control-lost",
            (
                "warning 99.7 192.0.2.1 alice control connection lost after 600.000 s: Connection timed out"
                " (control-forgotten)"
            ),
        ),
        (
            "control-lost, nobody",
            "warning 99.7 192.0.2.1 - control connection lost after 1.000 s: reset (control-lost)",
        ),
        ("change", "info    99.7 192.0.2.1 alice RNTO /new from /old"),
        (
            "session-refused",
            "warning 99.7 192.0.2.1 - session refused: Too many sessions on this server, try again later.",
        ),
        ("notice", "info    99.7 192.0.2.1 - active: calling from any port: port 20 needs root"),
        ("fault", "error   99.0 - - fault: RETR failed: Traceback\\x0a  line"),
    ],
)
def test_a_line_of_text_for_each_event(name: str, expected: str) -> None:
    assert text_of(EVENTS[name]) == f"2003-07-01T11:52:37.123Z {expected}\n"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "login",
            {"event": "login", "user": "alice", "anonymous": False, "email": None, "tls": None, "certified": False},
        ),
        (
            "login under TLS",
            {"event": "login", "user": "alice", "anonymous": False, "email": None,
             "tls": "TLSv1.3 TLS_AES_256_GCM_SHA384", "certified": True},
        ),
        (
            "anonymous login",
            {"event": "login", "user": "anonymous", "anonymous": True, "email": "me@example.com", "tls": None,
             "certified": False},
        ),
        (
            "login-failed",
            {"level": "warning", "event": "login-failed", "user": "bob", "cause": "login-refused",
             "reason": "Login incorrect."},
        ),
        (
            "transfer",
            {"event": "transfer", "user": "alice", "verb": "RETR", "path": "/a b.txt", "size": 1024, "seconds": 0.25,
             "mode": "EPSV"},
        ),
        (
            "transfer-failed",
            {"level": "warning", "event": "transfer-failed", "user": "alice", "verb": "STOR", "path": "/in/x",
             "size": 10, "seconds": 1.5, "mode": "PORT", "code": 426, "cause": "data-cut",
             "reason": "the data connection broke"},
        ),
        (
            "passive-uncalled",
            {"level": "warning", "event": "passive-uncalled", "user": "alice", "port": 61234, "seconds": 3.0,
             "mode": "EPSV", "cause": "passive-dropped", "reason": "Nobody called"},
        ),
        (
            "control-lost",
            {"level": "warning", "event": "control-lost", "user": "alice", "seconds": 600.0,
             "cause": "control-forgotten", "reason": "Connection timed out"},
        ),
        ("change", {"event": "change", "user": "alice", "verb": "RNTO", "path": "/new", "detail": "from /old"}),
        (
            "session-refused",
            {"level": "warning", "event": "session-refused", "user": None, "cause": "refused-by-policy",
             "reason": "Too many sessions on this server, try again later."},
        ),
        (
            "notice",
            {"event": "notice", "user": None, "topic": "active",
             "message": "calling from any port: port 20 needs root"},
        ),
    ],
)  # fmt: skip
def test_a_json_object_for_each_event(name: str, expected: dict[str, Any]) -> None:
    common = {
        "time": "2003-07-01T11:52:37.123Z", "level": "info", "process": 99, "session": 7, "peer": "192.0.2.1"
    }  # fmt: skip

    record = json_of(EVENTS[name])

    assert record == common | expected
    assert list(record)[:7] == ["time", "level", "event", "process", "session", "peer", "user"]


def test_every_kind_of_event_that_is_recorded_has_both_forms() -> None:
    kinds = {type(event) for event in EVENTS.values()}

    assert set(TextRecords(time.time, 1).formats()) == kinds
    assert set(JsonRecords(time.time, 1).formats()) == kinds


def test_a_password_is_recorded_only_when_it_is_an_anonymous_users_address() -> None:
    event = LoginSucceeded(**WHO, user="alice", anonymous=False, password="secret")

    assert "secret" not in text_of(event)
    assert "secret" not in json.dumps(json_of(event))


HOSTILE = "a\r\n2003-07-01T11:52:37.123Z info forged\x1b[2J\x00\x7f\x85\u2028\u202etxt\udcff"


@pytest.mark.req("S-SEC-8")
@pytest.mark.parametrize(
    "event",
    [
        LoginSucceeded(**WHO, user=HOSTILE, anonymous=True, password=HOSTILE),
        LoginFailed(**WHO, user=HOSTILE, reason=HOSTILE),
        TransferFinished(**WHO, user=HOSTILE, verb="RETR", path=HOSTILE, size=1, seconds=1.0, mode="EPSV"),
        TransferFailed(
            **WHO, user=HOSTILE, verb="RETR", path=HOSTILE, size=1, seconds=1.0, mode="EPSV", code=451, cause="storage",
            reason=HOSTILE,
        ),
        Changed(**WHO, user=HOSTILE, verb="DELE", path=HOSTILE, detail=HOSTILE),
        SessionRefused(**WHO, reason=HOSTILE),
        Noticed(**WHO, topic="t", message=HOSTILE),
    ],
    ids=lambda event: type(event).__name__,
)  # fmt: skip
def test_nothing_in_a_name_steers_a_terminal_or_begins_a_line(event: Event) -> None:
    text = text_of(event)
    line = JsonRecords(time.time, 1).formats()[type(event)](event)

    assert text[:-1].isprintable()
    assert line[:-1].isprintable()
    assert "\\xff" in text
    json.loads(line)


@given(st.binary())
def test_any_octets_give_one_printable_word_and_valid_json(octets: bytes) -> None:
    text = octets.decode("utf-8", "surrogateescape")

    assert word(text).isprintable()
    assert sentence(text).isprintable()
    encoded = string(text)
    assert encoded.isprintable()
    json.loads(encoded).encode()  # no lone surrogates, which many readers of JSON refuse


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_valid_text_survives_json(text: str) -> None:
    assert json.loads(string(text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/plain/ünï.txt", "/plain/ünï.txt"),
        ("", '""'),
        ("/a b", '"/a b"'),
        ('/a"b', '"/a\\"b"'),
        ("/a\\b", '"/a\\\\b"'),
        ("/a\tb", '"/a\\x09b"'),
        ("/\udcff", '"/\\xff"'),
        ("/\u202e", '"/\\u202e"'),
        ("/\U000e0001", '"/\\U000e0001"'),
    ],
)
def test_a_word_is_bare_when_it_is_plain_and_quoted_otherwise(text: str, expected: str) -> None:
    assert word(text) == expected


def test_the_time_follows_the_clock() -> None:
    moments = iter([0.0, 0.9999, 1.0, 86400.5])
    records = TextRecords(lambda: next(moments), 1)

    assert [records.notice(Noticed(**WHO, topic="t", message="m")).split()[0] for _ in range(4)] == [
        "1970-01-01T00:00:00.000Z",
        "1970-01-01T00:00:00.999Z",
        "1970-01-01T00:00:01.000Z",
        "1970-01-02T00:00:00.500Z",
    ]


def test_records_wait_for_each_other_and_are_written_together(pipe: Pipe) -> None:
    timer = Timer()
    bus = log_to(pipe.writing, timer)
    for _ in range(3):
        bus.emit(EVENTS["login"])

    assert pipe.read() == b""
    assert [delay for delay, _ in timer.due] == [0.05]

    timer.elapse()

    assert pipe.read().count(b"logged in\n") == 3
    assert timer.due == []


def test_other_events_are_not_recorded(pipe: Pipe) -> None:
    timer = Timer()
    bus = log_to(pipe.writing, timer)
    bus.emit(CommandReceived(**WHO, verb="PASS", argument="secret"))

    assert not bus.wanted(CommandReceived)
    assert timer.due == []


def test_enough_records_are_written_at_once(tmp_path: Path) -> None:
    timer = Timer()
    with (tmp_path / "log").open("wb") as file:
        bus = log_to(file.fileno(), timer, "json")
        while not file.tell():
            bus.emit(EVENTS["transfer"])

    lines = (tmp_path / "log").read_bytes().splitlines()
    assert sum(map(len, lines)) + len(lines) >= log_module.ENOUGH
    assert all(json.loads(line)["event"] == "transfer" for line in lines)


def test_pieces_are_whole_lines_that_a_pipe_takes_at_once(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces: list[bytes] = []
    write = os.write

    def record_and_write(descriptor: int, data: bytes) -> int:
        pieces.append(data)
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", record_and_write)
    timer = Timer()
    bus = log_to(pipe.writing, timer)
    for _ in range(100):
        bus.emit(EVENTS["transfer"])
    timer.elapse()

    assert len(pieces) > 1
    assert all(len(piece) <= log_module.PIECE and piece.endswith(b"\n") for piece in pieces)
    assert b"".join(pieces) == pipe.read()


def test_a_full_pipe_never_holds_up_and_what_was_dropped_is_counted(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "LIMIT", 100_000)
    monkeypatch.setattr(log_module, "ENOUGH", 10_000)
    timer = Timer()
    bus = log_to(pipe.writing, timer, "json")
    for _ in range(3000):
        bus.emit(EVENTS["transfer"])
    assert len(timer.due) == 1

    received = b""
    while timer.due:
        received += pipe.read()
        timer.elapse()
    received += pipe.read()

    records = [json.loads(line) for line in received.splitlines()]
    written = sum(record["event"] == "transfer" for record in records)
    assert 500 < written < 3000
    assert records[-1]["topic"] == "log"
    assert records[-1]["message"] == f"{3000 - written} records were dropped because nobody read the log"


def test_a_line_longer_than_a_piece_arrives_whole() -> None:
    pipe = Pipe(blocking=False)
    fcntl.fcntl(pipe.writing, fcntl.F_SETPIPE_SZ, 4096)
    timer = Timer()
    bus = log_to(pipe.writing, timer, "json")
    bus.emit(Changed(**WHO, user="alice", verb="MKD", path="/" + "x" * 10_000))
    received = b""
    timer.elapse()
    while timer.due:
        received += pipe.read()
        timer.elapse()
    received += pipe.read()
    pipe.close()

    assert json.loads(received)["path"] == "/" + "x" * 10_000


def test_a_closed_log_is_forgotten(pipe: Pipe) -> None:
    timer = Timer()
    bus = log_to(pipe.writing, timer)
    bus.emit(EVENTS["login"])
    pipe.close_reading()

    timer.elapse()
    bus.emit(EVENTS["login"])
    timer.elapse()

    assert timer.due == []
