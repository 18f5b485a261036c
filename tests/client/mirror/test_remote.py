from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest

from fairlead.client import pool as pools
from fairlead.client._walk import DEEPEST
from fairlead.client.mirror import remote
from fairlead.client.mirror.direction import everything
from fairlead.client.mirror.parts import part_of
from fairlead.client.mirror.remote import RemoteFolder
from fairlead.client.mirror.tree import Item, Tree, Trouble
from fairlead.errors import PermanentError, TransferError
from fairlead.proto.entry import Entry, Kind
from tests.client.mirror.stub import Listing, Pool, directory, file, link, refusal


@pytest.fixture(autouse=True)
def _stubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "listed", lambda session, path: session.client.listed(path))


def folder(listings: Mapping[str, Listing], top: str = "", stats: Mapping[str, Entry] | None = None) -> RemoteFolder:
    return RemoteFolder(cast("pools.Pool", Pool(listings, stats)), top, parallel=3)


def walked(
    listings: Mapping[str, Listing], top: str = "", *, stats: Mapping[str, Entry] | None = None, **options: Any
) -> Tree:
    chosen: dict[str, Any] = {"wanted": everything, "follow_links": False, "local_names": True} | options
    return asyncio.run(folder(listings, top, stats).tree(**chosen))


def test_walk_finds_everything_below() -> None:
    found = walked({"": [directory("d"), file("a")], "d": [directory("e"), file("b", 7)], "d/e": []})
    assert {path: (item.kind, item.size) for path, item in found.items.items()} == {
        "d": (Kind.DIRECTORY, None),
        "a": (Kind.FILE, 1),
        "d/e": (Kind.DIRECTORY, None),
        "d/b": (Kind.FILE, 7),
    }
    assert found.complete


def test_wide_tree_is_listed_once_each() -> None:
    listings: dict[str, Listing] = {"": [directory(f"d{number}") for number in range(50)]}
    listings |= {f"d{number}": [file("f")] for number in range(50)}
    made = folder(listings)
    found = asyncio.run(made.tree(everything, follow_links=False, local_names=True))
    assert len(found.items) == 100
    assert sorted(cast("Any", made.pool).session.asked) == sorted(listings)


@pytest.mark.parametrize(
    ("top", "path", "place"),
    [
        ("", "a", "a"),
        ("", "", ""),
        ("", "-l", "./-l"),
        ("", "~", "./~"),
        (".", "a", "a"),
        ("/", "a", "/a"),
        ("/", "", "/"),
        ("pub/", "a/b", "pub/a/b"),
        ("/srv/x", "", "/srv/x"),
    ],
)
def test_paths_for_commands(top: str, path: str, place: str) -> None:
    assert folder({}, top).at(path) == place


def test_directory_that_is_not_there_is_no_empty_one() -> None:
    assert not walked({}, "gone").exists
    assert walked({"here": []}, "here").exists


def test_top_that_cannot_be_listed_is_no_empty_tree() -> None:
    with pytest.raises(PermanentError):
        walked({"": refusal()})


@pytest.mark.parametrize("error", [refusal(550, "Permission denied."), TransferError("it was cut short")])
def test_listing_that_fails_leaves_the_tree_incomplete(error: Exception) -> None:
    found = walked({"": [directory("d"), file("a")], "d": error})
    assert set(found.items) == {"d", "a"}
    assert not found.complete
    assert found.troubles[0].path == "d"
    assert "it cannot be listed: " in found.troubles[0].why


def test_line_that_nobody_can_read_may_be_a_file_so_that_the_tree_is_not_whole() -> None:
    found = walked({"": [directory("d")], "d": [file("a"), "b <<file>> 2 KB"]})
    assert set(found.items) == {"d", "d/a"}
    assert found.troubles == [Trouble("d/'b <<file>> 2 KB'", "this line of the listing cannot be read")]
    assert not found.complete


@pytest.mark.req("C-SEC-NAME-1")
@pytest.mark.parametrize("name", ["a/b", "../x", "", "..", "/etc/passwd", "a\0b"])
@pytest.mark.parametrize("kind", [Kind.FILE, Kind.DIRECTORY])
def test_names_that_lead_elsewhere_are_nothing_but_trouble(name: str, kind: Kind) -> None:
    found = walked({"": [Entry(name, kind), file("good")]})
    assert set(found.items) == {"good"}
    assert found.troubles == [Trouble(repr(name), "no file may have this name here")]


@pytest.mark.req("C-SEC-NAME-1")
def test_link_and_then_a_directory_of_its_name_are_one_thing() -> None:
    found = walked({"": [link("x", "/etc"), directory("x")], "x": [file("passwd")]})
    assert {path: item.kind for path, item in found.items.items()} == {"x": Kind.LINK}


def test_directory_that_is_its_own_ancestor_is_not_entered_again() -> None:
    found = walked(
        {
            "": [directory("d", unique="1")],
            "d": [directory("e", unique="2")],
            "d/e": [directory("f", unique="1"), file("g")],
        }
    )
    assert found.troubles == [Trouble("d/e/f", "it leads back to a directory above it")]
    assert "d/e/g" in found.items


def test_tree_without_end_ends() -> None:
    class Endless(dict[str, Listing]):
        def get(self, key: str, default: Any = None) -> Any:
            return [directory("d")]

    found = walked(Endless())
    assert len(found.items) <= DEEPEST + 2
    assert "directories in one another" in found.troubles[0].why


def test_links_are_passed_over_unless_they_are_to_be_followed() -> None:
    listings: dict[str, Listing] = {
        "": [link("f"), link("d", "real"), link("gone"), directory("real")],
        "real": [file("x")],
        "d": [file("x")],
    }
    stats = {"f": file("f", 9)}
    assert {item.kind for item in walked(listings).items.values()} == {Kind.LINK, Kind.DIRECTORY, Kind.FILE}
    assert walked(listings).items["f"].kind is Kind.LINK
    followed = walked(listings, stats=stats | {"d": link("d"), "gone": link("gone")}, follow_links=True)
    assert {path: item.kind for path, item in followed.items.items()} == {
        "f": Kind.FILE,
        "d": Kind.DIRECTORY,
        "d/x": Kind.FILE,
        "real": Kind.DIRECTORY,
        "real/x": Kind.FILE,
        "gone": Kind.LINK,
    }
    assert followed.items["f"].size == 9


@pytest.mark.parametrize("target", ["..", "../..", "/", ".", "../e"])
def test_link_that_leads_back_up_is_not_followed_round_and_round(target: str) -> None:
    listings: dict[str, Listing] = {
        "": [directory("d")],
        "d": [directory("e")],
        "d/e": [link("back", target)],
        "d/e/back": [directory("d")],
    }
    found = walked(listings, stats={"d/e/back": link("back")}, follow_links=True)
    assert found.troubles == [Trouble("d/e/back", "it leads back to a directory above it")]


def test_what_is_not_wanted_is_not_listed() -> None:
    made = folder({"": [directory("d"), directory("e")], "e": [file("a"), file("b")]})
    found = asyncio.run(made.tree(lambda path, _: path not in {"d", "e/a"}, follow_links=False, local_names=True))
    assert set(found.items) == {"e", "e/b"}
    assert found.left_out == {"", "e"}
    assert cast("Any", made.pool).session.asked == ["", "e"]


def test_parts_are_no_files_of_the_tree() -> None:
    part = part_of(Item("d/f", Kind.FILE, 9))
    found = walked({"": [directory("d")], "d": [file(part.removeprefix("d/"), 4)]})
    assert (set(found.items), found.parts) == ({"d"}, {part: 4})
