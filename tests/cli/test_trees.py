"""Directories with all they hold: ``get -r``, ``put -r``, ``ls -R``, and several files at once, with our own server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.cli import main
from fairlead.cli.options import MANY
from tests.client.mirror.trees import contents, grow
from tests.peers.embedded import Embedded, embedded

FILES = {"a.txt": b"first", "d/b.txt": b"second", "d/e/c.txt": b"third"}
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embedded]:
    for name in ("served", "here"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FAIRLEAD_NO_MEMORY", "1")
    monkeypatch.chdir(tmp_path / "here")
    with embedded(tmp_path / "served") as running:
        yield running


@pytest.mark.parametrize("slash", ["", "/"])
def test_get_fetches_a_directory_under_its_own_name(server: Embedded, capsys: Captured, slash: str) -> None:
    grow(server.root / "pub", FILES)
    assert main(["get", "-r", f"{server.url}/pub{slash}"]) == 0
    assert contents(Path("pub")) == contents(server.root / "pub")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("there", [True, False])
def test_get_fetches_a_directory_to_where_it_is_told(server: Embedded, there: bool) -> None:
    grow(server.root / "pub", FILES)
    if there:
        Path("copy").mkdir()
    assert main(["get", "-r", "-o", "copy", f"{server.url}/pub/"]) == 0
    assert contents(Path("copy/pub" if there else "copy")) == contents(server.root / "pub")


def test_get_fetches_all_of_a_server(server: Embedded) -> None:
    grow(server.root, FILES)
    assert main(["get", "-r", "-o", "all", f"{server.url}/"]) == 0
    assert contents(Path("all")) == contents(server.root)


def test_get_fetches_a_file_all_the_same(server: Embedded) -> None:
    grow(server.root, FILES)
    assert main(["get", "-r", f"{server.url}/a.txt"]) == 0
    assert Path("a.txt").read_bytes() == b"first"


@pytest.mark.parametrize("recursive", [True, False])
def test_get_fetches_what_a_pattern_matches(server: Embedded, recursive: bool) -> None:
    grow(server.root, FILES)
    assert main(["get", *(["-r"] if recursive else []), f"{server.url}/*"]) == 0
    assert set(os.listdir()) == ({"a.txt", "d"} if recursive else {"a.txt"})


def test_get_does_not_copy_again_what_is_there_already(server: Embedded, capsys: Captured) -> None:
    grow(server.root / "pub", FILES)
    assert main(["get", "-r", f"{server.url}/pub/"]) == 0
    assert main(["get", "-d", "-r", f"{server.url}/pub/"]) == 0
    assert "RETR" not in capsys.readouterr().err


def test_get_goes_on_with_the_rest_and_fails_in_the_end(server: Embedded, capsys: Captured) -> None:
    grow(server.root / "pub", FILES)
    Path("pub").mkdir()
    Path("pub/a.txt").mkdir()
    assert main(["get", "-r", f"{server.url}/pub/"]) == 1
    assert Path("pub/d/e/c.txt").read_bytes() == b"third"
    assert "a.txt" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["get", "URL/pub/"], "--recursive"),
        (["get", "-r", "-o", "-", "URL/pub/"], "standard output"),
        (["get", "-r", "URL/pub/;type=a"], "line ends"),
        (["put", "-r", "site", "URL/;type=a"], "line ends"),
        (["put", "site", "URL/"], "--recursive"),
        (["put", "-r", "site", "URL/there"], "end "),
    ],
)
def test_what_makes_no_sense_is_refused(server: Embedded, capsys: Captured, arguments: list[str], words: str) -> None:
    grow(server.root / "pub", FILES)
    grow(Path("site"), FILES)
    assert main([argument.replace("URL", server.url) for argument in arguments]) == 2
    assert words in capsys.readouterr().err
    assert os.listdir() == ["site"]


@pytest.mark.parametrize("local", ["site", "site/", "../here/site"])
def test_put_stores_a_directory_under_its_own_name(server: Embedded, local: str) -> None:
    grow(Path("site"), FILES)
    (server.root / "htdocs").mkdir()
    assert main(["put", "-r", local, f"{server.url}/htdocs/"]) == 0
    assert contents(server.root / "htdocs" / "site") == contents(Path("site"))


def test_put_stores_files_beside_directories(server: Embedded) -> None:
    grow(Path("site"), FILES)
    Path("f").write_bytes(b"file")
    assert main(["put", "-r", "site", "f", f"{server.url}/"]) == 0
    assert contents(server.root) == contents(Path())


def test_put_stores_several_files_at_once(server: Embedded, capsys: Captured) -> None:
    grow(Path(), {f"f{number}": bytes([number]) * 1000 for number in range(8)})
    assert main(["put", "-d", "--parallel", "3", *sorted(os.listdir()), f"{server.url}/"]) == 0
    assert contents(server.root) == contents(Path())
    assert "[2] ---> STOR" in capsys.readouterr().err


def test_get_fetches_several_files_at_once(server: Embedded, capsys: Captured) -> None:
    grow(server.root, {f"f{number}": bytes([number]) * 1000 for number in range(8)})
    assert main(["get", "-d", "--parallel", "3", f"{server.url}/f*"]) == 0
    assert contents(server.root) == contents(Path())
    assert "[2] ---> RETR" in capsys.readouterr().err


MANY_FILES = {f"f{number:03}": bytes([number]) * 1000 for number in range(2 * MANY)}
ONE_AT_A_TIME = pytest.mark.parametrize(
    ("said", "files", "several"),
    [([], MANY_FILES, True), (["--parallel", "1"], MANY_FILES, False), ([], dict(list(MANY_FILES.items())[:5]), False)],
    ids=["many", "many, one at a time", "few"],
)


@ONE_AT_A_TIME
def test_get_of_many_files_goes_side_by_side_unless_told_otherwise(
    server: Embedded, capsys: Captured, said: list[str], files: dict[str, bytes], several: bool
) -> None:
    grow(server.root, files)
    assert main(["get", "-d", *said, f"{server.url}/f*"]) == 0
    assert contents(Path()) == files
    assert ("[2] ---> USER" in capsys.readouterr().err) is several


@ONE_AT_A_TIME
def test_put_of_many_files_goes_side_by_side_unless_told_otherwise(
    server: Embedded, capsys: Captured, said: list[str], files: dict[str, bytes], several: bool
) -> None:
    grow(Path(), files)
    assert main(["put", "-d", *said, *files, f"{server.url}/"]) == 0
    assert contents(server.root) == files
    assert ("[2] ---> USER" in capsys.readouterr().err) is several


def test_session_that_told_the_names_fetches_too(server: Embedded, capsys: Captured) -> None:
    grow(server.root, MANY_FILES)
    assert main(["get", "-d", "--parallel", "2", f"{server.url}/f*"]) == 0
    shown = capsys.readouterr().err
    assert "\n---> RETR" in shown
    assert shown.count("---> USER") == shown.count("---> QUIT") == 2


@pytest.mark.parametrize(("said", "asked"), [([], False), (["--retries", "0"], True)])
def test_sizes_that_the_listing_told_are_asked_for_where_nothing_is_tried_again(
    server: Embedded, capsys: Captured, said: list[str], asked: bool
) -> None:
    grow(server.root, {f"f{number}": b"octets" for number in range(4)})
    assert main(["get", "-d", "--parallel", "2", *said, f"{server.url}/f*"]) == 0
    assert ("---> SIZE" in capsys.readouterr().err) is asked


@pytest.mark.usefixtures("server")
def test_many_files_come_from_a_server_that_takes_one_session_only(tmp_path: Path) -> None:
    (tmp_path / "narrow").mkdir()
    grow(tmp_path / "narrow", MANY_FILES)
    with embedded(tmp_path / "narrow", max_sessions_per_address=1) as narrow:
        assert main(["get", f"{narrow.url}/f*"]) == 0
        assert contents(Path()) == MANY_FILES
        grow(Path(), {"new": b"one more"})
        assert main(["put", *sorted(os.listdir()), f"{narrow.url}/"]) == 0
    assert contents(tmp_path / "narrow") == MANY_FILES | {"new": b"one more"}


def test_files_that_become_one_wait_for_one_another(server: Embedded, capsys: Captured) -> None:
    grow(server.root, {f"d{number:03}/f": bytes([number]) * 1000 for number in range(2 * MANY)})
    assert main(["get", "-d", f"{server.url}/d*/f"]) == 0
    assert contents(Path()) == {"f": bytes([2 * MANY - 1]) * 1000}
    assert "[2]" not in capsys.readouterr().err


def test_first_failure_ends_what_goes_side_by_side(server: Embedded, capsys: Captured) -> None:
    grow(server.root, {"a": b"", "b": b"", "c": b""})
    Path("b.part").mkdir()
    assert main(["get", "--parallel", "2", f"{server.url}/?"]) == 1
    assert "b" in capsys.readouterr().err


def test_ls_lists_the_directories_below(server: Embedded, capsys: Captured) -> None:
    grow(server.root, FILES)
    assert main(["ls", "-R", f"{server.url}/"]) == 0
    names = [line.rpartition(" ")[2] for line in capsys.readouterr().out.splitlines()]
    assert names == [".:", "a.txt", "d", "", "d:", "b.txt", "e", "", "d/e:", "c.txt"]
    assert main(["ls", "-R", "--json", f"{server.url}/d"]) == 0
    assert [entry["name"] for entry in json.loads(capsys.readouterr().out)] == ["d/b.txt", "d/e", "d/e/c.txt"]


def test_ls_lists_a_file_all_the_same(server: Embedded, capsys: Captured) -> None:
    grow(server.root, FILES)
    assert main(["ls", "-R", f"{server.url}/a.txt"]) == 0
    assert capsys.readouterr().out.endswith(" a.txt\n")


def test_get_and_put_tell_what_went_over(server: Embedded, capsys: Captured) -> None:
    grow(server.root / "pub", FILES)
    assert main(["get", "-r", "--json", "--verify", f"{server.url}/pub/a.txt", f"{server.url}/pub/d"]) == 0
    file, *tree = json.loads(capsys.readouterr().out)
    assert (file["path"], file["file"], file["size"], file["offset"]) == ("pub/a.txt", "a.txt", 5, 0)
    assert (file["mode"], file["verified"]) == ("EPSV", "HASH SHA-256")
    assert sorted((one["path"], one["file"], one["size"]) for one in tree) == [
        ("pub/d/b.txt", "d/b.txt", 6),
        ("pub/d/e/c.txt", "d/e/c.txt", 5),
    ]
    assert main(["put", "-r", "--json", "a.txt", "d", f"{server.url}/pub/"]) == 0
    file, *tree = json.loads(capsys.readouterr().out)
    assert (file["path"], file["file"], file["size"]) == ("pub/a.txt", "a.txt", 5)
    assert tree == []  # the same already


def told(capsys: Captured) -> list[tuple[str, str, int]]:
    return sorted((one["path"], one["file"], one["size"]) for one in json.loads(capsys.readouterr().out))


@pytest.mark.parametrize("parallel", ["1", "2"])
def test_get_and_put_tell_of_each_of_several(server: Embedded, capsys: Captured, parallel: str) -> None:
    grow(server.root, FILES | {"z.txt": b"last"})
    assert main(["get", "--json", "--parallel", parallel, f"{server.url}/*.txt"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert sorted((one["path"], one["file"], one["size"]) for one in told) == [
        ("a.txt", "a.txt", 5),
        ("z.txt", "z.txt", 4),
    ]
    assert main(["put", "--json", "--parallel", parallel, "a.txt", "z.txt", f"{server.url}/d/"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert sorted((one["path"], one["file"], one["size"]) for one in told) == [
        ("d/a.txt", "a.txt", 5),
        ("d/z.txt", "z.txt", 4),
    ]


def test_get_tells_what_went_over_before_it_failed(server: Embedded, capsys: Captured) -> None:
    grow(server.root, FILES)
    assert main(["get", "--json", f"{server.url}/a.txt", f"{server.url}/none"]) == 1
    assert [one["path"] for one in json.loads(capsys.readouterr().out)] == ["a.txt"]


def test_json_and_a_file_do_not_share_standard_output(server: Embedded, capsys: Captured) -> None:
    assert main(["get", "--json", "-o", "-", f"{server.url}/a.txt"]) == 2
    assert "leave one of them out" in capsys.readouterr().err


def test_ls_cat_and_mv_take_patterns(server: Embedded, capsys: Captured) -> None:
    grow(server.root, FILES | {"z.txt": b" last"})
    assert main(["ls", "--json", f"{server.url}/**/*.txt"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == ["a.txt", "d/b.txt", "d/e/c.txt", "z.txt"]
    assert main(["mv", "--json", f"{server.url}/*.txt", f"{server.url}/d/"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"path": "a.txt", "target": "d/a.txt"},
        {"path": "z.txt", "target": "d/z.txt"},
    ]


def test_cat_prints_what_a_pattern_matches(server: Embedded, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    grow(server.root, FILES | {"z.txt": b" last"})
    assert main(["cat", f"{server.url}/[az]*"]) == 0
    assert capfdbinary.readouterr().out == b"first last"


@pytest.mark.parametrize(
    ("arguments", "status", "error"),
    [
        (["ls", "{}/*.nix"], 1, "nothing on the server matches *.nix; check it with fairlead ls"),
        (["ls", "-R", "{}/*"], 2, "write ** for any number of directories"),
        (["cat", "{}/*.nix"], 1, "nothing on the server matches *.nix"),
        (["mv", "{}/*.txt", "{}/one"], 2, "several files cannot go into one"),
    ],
)
def test_pattern_that_does_not_serve(
    server: Embedded, capsys: Captured, arguments: list[str], status: int, error: str
) -> None:
    assert main([argument.format(server.url) for argument in arguments]) == status
    assert error in capsys.readouterr().err
