from __future__ import annotations

import json

import pytest

from fairlead.cli.mirror_report import achieved, kept, planned, report, show_size, table
from fairlead.client.mirror.compare import Reason
from fairlead.client.mirror.plan import Action, Plan, Step
from fairlead.client.mirror.run import Mirrored
from fairlead.client.mirror.tree import Item, Trouble
from fairlead.proto.entry import Kind

NEW = Item("d/a\x1b[2J", Kind.FILE, 1_234_567)
PLAN = Plan(
    clear=[Step(Action.REMOVE, "d", Reason.IN_THE_WAY, Item("d", Kind.LINK))],
    directories=[Step(Action.MKDIR, "d", Reason.MISSING, Item("d", Kind.DIRECTORY))],
    copies=[
        Step(Action.COPY, NEW.path, Reason.MISSING, NEW),
        Step(Action.COPY, "b", Reason.NEWER, Item("b", Kind.FILE)),
    ],
    removals=[Step(Action.RMDIR, "old", Reason.EXTRA, Item("old", Kind.DIRECTORY))],
    unchanged=3,
    troubles=[],
    passed_over=[Item("l", Kind.LINK)],
)
NOTHING = Plan([], [], [], [], 3, [])


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (1024 * 1023, "1023.0 KiB"),
        (1024 * 1024 - 1, "1.0 MiB"),
        (1_234_567_890, "1.1 GiB"),
        (10**16, "9094.9 TiB"),
    ],
)
def test_sizes_have_a_unit_that_fits(octets: int, shown: str) -> None:
    assert show_size(octets) == shown


def test_table_has_a_line_for_each_step_and_moves_no_cursor() -> None:
    assert list(table(PLAN)) == [
        "remove  in the way                    d",
        "mkdir   new                           d/",
        "copy    new                  1.2 MiB  d/a?[2J",
        "copy    newer                         b",
        "rmdir   not in the source             old/",
    ]


def test_plan_in_a_sentence() -> None:
    assert planned(PLAN) == (
        "2 files to copy (1.2 MiB), 1 directory to make, 1 file to remove, 1 directory to remove; "
        "3 the same already, 1 link and the like passed over"
    )
    assert planned(NOTHING) == "nothing to do; 3 the same already"


def test_result_in_a_sentence() -> None:
    result = Mirrored(NOTHING, seconds=0.25)
    assert achieved(result) == "nothing was to be done in 250 ms; 3 the same already"
    result.done[Action.COPY], result.octets, result.troubles = 1, 5, [Trouble("x", "no")]
    assert achieved(result) == "1 file copied (5 bytes) in 250 ms; 3 the same already; 1 thing could not be done"


def test_what_stays_is_said() -> None:
    assert kept(Mirrored(NOTHING, kept=2)).startswith("2 things that the source does not have stay in the target")


def test_report_is_json_with_every_step() -> None:
    told = json.loads(json.dumps(report(Mirrored(PLAN, octets=5), source="a", target="b", dry=False)))
    assert told["plan"][2] == {"action": "copy", "path": NEW.path, "reason": "new", "size": 1_234_567}
    assert (told["source"], told["target"], told["octets"], told["passed_over"]) == ("a", "b", 5, ["l"])
    assert told["done"] == {"mkdir": 0, "copy": 0, "remove": 0, "rmdir": 0}
