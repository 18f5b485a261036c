from __future__ import annotations

import pytest

from fairlead.client.mirror.compare import Reason
from fairlead.client.mirror.plan import Action, Plan, Rules, draw_up, folded
from fairlead.client.mirror.tree import Item, Span, Tree, Trouble
from fairlead.proto.entry import Kind

DELETE = Rules(delete=True)


def tree(*paths: str) -> Tree:
    """``d/`` is a directory, ``l@`` a link, ``p!`` a pipe, ``f`` a file of 1 octet, ``f=9`` one of 9."""
    kinds = {"/": Kind.DIRECTORY, "@": Kind.LINK, "!": Kind.OTHER}
    made = Tree()
    for text in paths:
        kind = kinds.get(text[-1], Kind.FILE)
        path, _, size = (text if kind is Kind.FILE else text[:-1]).partition("=")
        made.add(Item(path, kind, int(size or 1) if kind is Kind.FILE else None, Span(9, 9)))
    return made


def drawn(plan: Plan) -> list[tuple[str, str]]:
    return [(step.action.value, step.path) for step in plan.steps]


@pytest.mark.parametrize(
    ("source", "target", "rules", "steps"),
    [
        ([], [], DELETE, []),
        (["a"], ["a"], DELETE, []),
        (["a"], [], Rules(), [("copy", "a")]),
        (["a=2"], ["a"], Rules(), [("copy", "a")]),
        (["d/", "d/a"], [], Rules(), [("mkdir", "d"), ("copy", "d/a")]),
        (["d/", "d/e/", "d/e/a"], ["d/"], Rules(), [("mkdir", "d/e"), ("copy", "d/e/a")]),
        ([], ["a", "d/", "d/b"], Rules(), []),
        ([], ["a", "d/", "d/b"], DELETE, [("remove", "d/b"), ("rmdir", "d"), ("remove", "a")]),
        (["d/"], ["d/", "d/b"], DELETE, [("remove", "d/b")]),
        (["d/", "d-e"], [], Rules(), [("mkdir", "d"), ("copy", "d-e")]),
        (["a"], ["a@", "l@", "p!"], DELETE, [("remove", "a"), ("copy", "a"), ("remove", "p"), ("remove", "l")]),
        (["x"], ["x/", "x/a"], DELETE, [("remove", "x/a"), ("rmdir", "x"), ("copy", "x")]),
        (["x/", "x/a"], ["x"], DELETE, [("remove", "x"), ("mkdir", "x"), ("copy", "x/a")]),
        (["x/", "x/a"], ["x@"], DELETE, [("remove", "x"), ("mkdir", "x"), ("copy", "x/a")]),
    ],
)
def test_steps_make_the_target_like_the_source(
    source: list[str], target: list[str], rules: Rules, steps: list[tuple[str, str]]
) -> None:
    assert drawn(draw_up(tree(*source), tree(*target), rules)) == steps


@pytest.mark.req("C-SEC-NAME-1")
@pytest.mark.parametrize(
    ("source", "target", "stands"),
    [
        (["x/", "x/a", "x/e/", "x/e/f"], ["x@"], "a directory of the source would take the place of a link"),
        (["x/", "x/a"], ["x"], "a directory of the source would take the place of a file"),
        (["x"], ["x/", "x/a"], "a file of the source would take the place of a directory"),
        (["x"], ["x@"], "a file of the source would take the place of a link"),
        (["x"], ["x!"], "a file of the source would take the place of a device or pipe"),
    ],
)
def test_what_is_in_the_way_stays_unless_deletion_is_asked_for(
    source: list[str], target: list[str], stands: str
) -> None:
    plan = draw_up(tree(*source), tree(*target), Rules())
    assert plan.steps == ()
    assert plan.troubles == [Trouble("x", f"{stands}; remove it, or let --delete do it")]


def test_nothing_is_removed_where_a_listing_failed() -> None:
    source = tree("d/", "new")
    source.troubles.append(Trouble("d", "it cannot be listed"))
    plan = draw_up(source, tree("d/", "d/a", "gone"), DELETE)
    assert drawn(plan) == [("copy", "new")]
    assert plan.kept == 2
    assert plan.troubles == [Trouble("d", "it cannot be listed")]


def test_nothing_is_cleared_away_where_a_listing_failed() -> None:
    source = tree("x")
    source.troubles.append(Trouble("d", "it cannot be listed"))
    plan = draw_up(source, tree("x/", "x/a"), DELETE)
    assert plan.steps == ()
    assert [trouble.path for trouble in plan.troubles] == ["d", "x"]


def test_directory_of_the_target_that_cannot_be_listed_is_left_alone() -> None:
    target = tree("d/", "gone")
    target.troubles.append(Trouble("d", "it cannot be listed"))
    plan = draw_up(tree("d/", "d/a", "b"), target, DELETE)
    assert drawn(plan) == [("copy", "b"), ("remove", "gone")]


def test_links_and_devices_of_the_source_are_passed_over_and_protect_what_has_their_name() -> None:
    plan = draw_up(tree("l@", "p!"), tree("l/", "l/a", "p"), DELETE)
    assert plan.steps == ()
    assert [item.path for item in plan.passed_over] == ["l", "p"]
    assert plan.troubles == []


def test_directories_with_what_is_left_out_are_not_removed() -> None:
    target = tree("d/", "d/e/", "d/e/a", "f/", "f/b")
    target.left_out.add("d/e")
    plan = draw_up(tree(), target, DELETE)
    assert drawn(plan) == [("remove", "f/b"), ("rmdir", "f"), ("remove", "d/e/a")]


def test_directory_in_the_way_that_holds_what_is_left_out_stays() -> None:
    target = tree("x/", "x/a")
    target.left_out.add("x")
    plan = draw_up(tree("x"), target, DELETE)
    assert plan.steps == ()
    assert plan.troubles[0].why.endswith("; remove it")


@pytest.mark.req("C-SEC-NAME-1")
@pytest.mark.parametrize(("one", "other"), [("a", "A"), ("straße", "STRASSE"), ("é", "e\u0301")])
def test_names_that_the_target_takes_for_one_never_overwrite_one_another(one: str, other: str) -> None:
    rules = Rules(delete=True, fold=folded)
    first, second = sorted((one, other))
    plan = draw_up(tree(one, other), tree(), rules)
    assert drawn(plan) == [("copy", first)]
    assert [trouble.path for trouble in plan.troubles] == [second]
    assert len(draw_up(tree(one, other), tree(), DELETE).copies) == 2


def test_directories_that_the_target_takes_for_one_are_not_mixed() -> None:
    plan = draw_up(tree("A/", "A/x", "a/", "a/y"), tree(), Rules(fold=folded))
    assert drawn(plan) == [("mkdir", "A"), ("copy", "A/x")]


def test_other_case_in_the_target_is_the_same_file_there() -> None:
    plan = draw_up(tree("README"), tree("readme"), Rules(delete=True, fold=folded))
    assert plan.steps == ()
    assert plan.unchanged == 1


def test_directories_without_files_are_not_made_when_pruned() -> None:
    source = tree("d/", "d/e/", "f/", "f/g/", "f/g/a", "h/", "h/l@")
    assert drawn(draw_up(source, tree(), Rules(prune=True))) == [("mkdir", "f"), ("mkdir", "f/g"), ("copy", "f/g/a")]


def test_plan_knows_sizes_and_reasons() -> None:
    plan = draw_up(tree("a=3", "b=4", "c"), tree("b=5", "c", "d"), DELETE)
    assert plan.octets == 7
    assert [(step.path, step.reason) for step in plan.steps] == [
        ("a", Reason.MISSING),
        ("b", Reason.SIZE),
        ("d", Reason.EXTRA),
    ]
    assert plan.copies[1].replaces == Item("b", Kind.FILE, 5, Span(9, 9))
    assert plan.unchanged == 1
    assert {step.action for step in plan.removals} == {Action.REMOVE}


def test_target_that_is_not_there_is_made() -> None:
    target = Tree(exists=False)
    assert draw_up(tree("a"), target, Rules()).make_top
    assert not draw_up(tree("a"), tree(), Rules()).make_top
