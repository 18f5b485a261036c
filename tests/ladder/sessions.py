"""Ladders to draw, and Hypothesis strategies for any."""

from __future__ import annotations

from hypothesis import strategies as st

from fairlead.ladder.model import CONTROL, End, Kind, Ladder, Party, Step

CLIENT, SERVER = Party("client", "192.168.150.80"), Party("server", "192.168.150.90")


def client(port: int) -> End:
    return End(CLIENT.name, CLIENT.address, port)


def server(port: int) -> End:
    return End(SERVER.name, SERVER.address, port)


def said(at: float, text: str, *, cause: str = "", note: str = "") -> Step:
    """A command of the client, or a reply of the server."""
    kind, ends = Kind.COMMAND, (client(1026), server(21))
    if text[:3].isdigit():
        kind, ends = Kind.REPLY, ends[::-1]
    return Step(at=at, kind=kind, connection=CONTROL, source=ends[0], target=ends[1], text=text, cause=cause, note=note)


def ladder(*steps: Step, title: str = "") -> Ladder:
    """A session of two."""
    return Ladder(parties=(CLIENT, SERVER), steps=steps, began=1069326020.5, title=title)


ACTIVE_DROPPED = ladder(
    Step(at=0, kind=Kind.SYN, connection=CONTROL, source=client(1026), target=server(21)),
    Step(at=0.003, kind=Kind.SYN_ACK, connection=CONTROL, source=server(21), target=client(1026)),
    said(0.004, "220 ready"),
    said(0.01, "PORT 192,168,150,80,4,3"),
    Step(at=0.011, kind=Kind.LISTEN, connection=1, source=client(1027)),
    said(0.012, "200 ok"),
    said(0.013, "LIST"),
    Step(
        at=0.014,
        kind=Kind.SYN,
        connection=1,
        source=server(20),
        target=client(1027),
        arrived=False,
        times=4,
        cause="active-dropped",
        note="never arrived",
    ),
    said(10.014, "425 Nobody answered"),
)
PASSIVE = ladder(
    Step(at=0, kind=Kind.SYN, connection=CONTROL, source=client(1026), target=server(21)),
    Step(at=0.003, kind=Kind.SYN_ACK, connection=CONTROL, source=server(21), target=client(1026)),
    Step(at=0.004, kind=Kind.TLS, connection=CONTROL, source=client(1026), target=server(21), text="TLSv1.3"),
    said(0.005, "220 ready"),
    said(0.01, "PASV"),
    said(0.012, "227 Entering Passive Mode (192,168,150,90,195,149)."),
    Step(at=0.013, kind=Kind.SYN, connection=1, source=client(1027), target=server(50069)),
    Step(at=0.014, kind=Kind.SYN_ACK, connection=1, source=server(50069), target=client(1027)),
    said(0.015, "RETR f"),
    said(0.016, "150 here"),
    Step(at=0.017, kind=Kind.DATA, connection=1, source=server(50069), target=client(1027), size=70000),
    Step(at=0.018, kind=Kind.FIN, connection=1, source=server(50069), target=client(1027)),
    Step(at=0.018, kind=Kind.FIN, connection=1, source=client(1027), target=server(50069)),
    said(0.019, "226 done"),
    Step(at=0.02, kind=Kind.NOTE, connection=CONTROL, source=client(0), text="done"),
    title="get f",
)
_A, _B = Party("server A", "192.0.2.1"), Party("server B", "2001:db8::b")
THIRD_PARTY = Ladder(
    parties=(CLIENT, _A, _B),
    steps=(
        Step(
            at=0,
            kind=Kind.COMMAND,
            connection=CONTROL,
            source=client(1),
            target=End(_A.name, _A.address, 21),
            text="PASV",
        ),
        Step(
            at=0,
            kind=Kind.COMMAND,
            connection=CONTROL,
            source=client(2),
            target=End(_B.name, _B.address, 21),
            text="RETR",
        ),
        Step(
            at=1,
            kind=Kind.SYN,
            connection=1,
            source=End(_B.name, _B.address, 20),
            target=End(_A.name, _A.address, 5000),
        ),
        Step(at=1, kind=Kind.NOTE, connection=1, source=End(_A.name, _A.address, 5000), text="takes the call"),
    ),
)

texts = st.text(st.characters(codec=None), max_size=60)
_names = st.sampled_from(["client", "server", "server B", "\x1b[31mred\x1b[0m", "end", "<b>"])
_addresses = st.sampled_from(["", "192.0.2.1", "2001:db8::1", "fe80::1%eth0", "host.example", "10.0.0.1"])


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    """Any ladder, as a hostile session may have left it."""
    names = draw(st.lists(_names, min_size=1, max_size=4, unique=True))
    ends = st.builds(End, st.sampled_from(names), _addresses, st.integers(0, 65535))
    steps = st.builds(
        Step,
        at=st.floats(0, 1e6),
        kind=st.sampled_from(Kind),
        connection=st.integers(0, 3),
        source=ends,
        target=st.none() | ends,
        text=texts,
        note=texts,
        size=st.integers(0, 1 << 40),
        times=st.integers(1, 9),
        arrived=st.sampled_from([None, True, False]),
        cause=st.sampled_from(["", "active-dropped", "]]>&<"]),
    )
    return Ladder(
        parties=tuple(Party(name, draw(_addresses)) for name in names),
        steps=tuple(draw(st.lists(steps, max_size=8))),
        began=draw(st.floats(0, 4e9)),
        title=draw(texts),
    )
