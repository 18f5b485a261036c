"""The pages in docs/concepts show what sessions do now: ``make docs`` records and draws them."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fairlead.ladder import svg
from fairlead.ladder.model import CONTROL, End, Kind, Ladder, Party, Step
from lab import namespaces
from tests.reference import concepts
from tests.reference.sessions import SESSIONS
from tests.reference.stable import Names, stable

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / concepts.FOLDER).glob("*.md"))
SHOWN = [(path, name) for path in PAGES for name in concepts.shown(path.read_text())]


@pytest.mark.parametrize(("path", "name"), SHOWN, ids=[name for _, name in SHOWN])
def test_drawing_is_what_the_session_is(path: Path, name: str) -> None:
    if name.startswith("nat") and (reason := namespaces.unavailable()):
        pytest.skip(reason)
    ladder = SESSIONS[name]()
    assert ladder is not None

    assert svg.draw(ladder) == (ROOT / concepts.FOLDER / f"{name}.svg").read_text(), "make docs"
    kept = path.read_text()
    assert concepts.page(kept, {other: ladder if other == name else None for other in concepts.shown(kept)}) == kept


def test_every_session_is_shown_once() -> None:
    assert sorted(name for _, name in SHOWN) == sorted(SESSIONS)


@pytest.mark.parametrize("path", PAGES, ids=[path.stem for path in PAGES])
def test_links_of_the_pages_lead_somewhere(path: Path) -> None:
    targets = [part.partition(")")[0] for part in path.read_text().split("](")[1:]]
    assert [target for target in targets if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("name", sorted(SESSIONS))
def test_pictures_are_documents_of_their_own(name: str) -> None:
    ET.parse(ROOT / concepts.FOLDER / f"{name}.svg")


def test_page_whose_session_cannot_be_recorded_stays() -> None:
    kept = "a\n<!-- ladder: nat -->\nold\n<!-- /ladder -->\nb\n"
    assert concepts.page(kept, {"nat": None}) == kept


def test_recordings_of_one_session_become_the_same() -> None:
    first, second = recording(40001, 61234, late=0.0004), recording(51999, 64321, late=0.2)

    ladder = stable(first, Names({"127.0.0.1": "192.0.2.1"}, 2121))

    assert ladder == stable(second, Names({"127.0.0.1": "192.0.2.1"}, 2121))
    assert [step.text for step in ladder.steps if step.text] == [
        "PASV",
        "227 here (192,0,2,1,195,80)",
        "RETR f",
        "150 go",
        "226 done",
    ]
    assert [step.kind for step in ladder.steps[-3:]] == [Kind.DATA, Kind.FIN, Kind.REPLY]


def recording(ours: int, theirs: int, *, late: float) -> Ladder:
    """A session in which the last reply overtook the data."""
    client, server = End("client", "127.0.0.1", ours), End("server", "127.0.0.1", 2121)
    caller, called = End("client", "127.0.0.1", ours + 1), End("server", "127.0.0.1", theirs)

    def control(at: float, text: str) -> Step:
        kind, ends = (Kind.REPLY, (server, client)) if text[:3].isdigit() else (Kind.COMMAND, (client, server))
        return Step(at=at, kind=kind, connection=CONTROL, source=ends[0], target=ends[1], text=text)

    steps = (
        control(0, "TYPE I"),
        control(0, "200 ok"),
        control(late, "PASV"),
        control(0.3, f"227 here (127,0,0,1,{theirs >> 8},{theirs & 255})"),
        Step(at=0.3, kind=Kind.SYN, connection=1, source=caller, target=called),
        control(0.4, "RETR f"),
        control(0.4 + late, "150 go"),
        control(0.7, "226 done"),
        Step(at=0.7, kind=Kind.DATA, connection=1, source=called, target=caller, size=1, note=f"in {late} s"),
        Step(at=0.7, kind=Kind.FIN, connection=1, source=called, target=caller),
    )
    return Ladder(parties=(Party("client", "127.0.0.1"), Party("server", "127.0.0.1")), steps=steps, began=late)
