from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import PathError
from fairlead.proto.path import is_pattern, join, leaves_root, quote, resolve, split, unquote_257

NAMES = st.text(st.characters(exclude_characters="/\0\n"), min_size=1, max_size=5).filter(
    lambda name: name not in {".", ".."}
)
PATHS = st.lists(NAMES, max_size=4).map(lambda names: "/" + "/".join(names))


class TestResolve:
    @pytest.mark.req("S-3659-TVFS-1", "S-SEC-6")
    @pytest.mark.parametrize(
        ("cwd", "argument", "path"),
        [
            ("/", "a", "/a"),
            ("/a", "b", "/a/b"),
            ("/a", "b/c", "/a/b/c"),
            ("/a", "/b", "/b"),
            ("/a", "", "/a"),
            ("/", "", "/"),
            ("/a", ".", "/a"),
            ("/a/b", "..", "/a"),
            ("/a", "..", "/"),
            ("/", "..", "/"),
            ("/a", "../../../../etc", "/etc"),
            ("/", "/../../etc/passwd", "/etc/passwd"),
            ("/", "//", "/"),
            ("/", "//a///b/", "/a/b"),
            ("/a", "b/", "/a/b"),
            ("/a", "./b/./c/..", "/a/b"),
            ("/a", "...", "/a/..."),
            ("/a", "..b", "/a/..b"),
            ("/a", " ", "/a/ "),
            ("/a", "b\\..\\c", "/a/b\\..\\c"),
            ("/a", "~", "/a/~"),
            ("/a", "b\rc", "/a/b\rc"),
        ],
    )
    def test_the_path_is_absolute_and_normal_and_never_above_the_root(self, cwd: str, argument: str, path: str) -> None:
        assert resolve(cwd, argument) == path

    @pytest.mark.req("S-GEN-6")
    @pytest.mark.parametrize("argument", ["a\0", "\0", "a\r\nb", "a\nb", "/x/\n"])
    def test_a_path_without_a_meaning_is_refused(self, argument: str) -> None:
        with pytest.raises(PathError):
            resolve("/", argument)

    @given(PATHS, st.lists(NAMES | st.sampled_from(["", ".", ".."]), max_size=6).map("/".join))
    def test_the_result_is_normal_and_stays_so(self, cwd: str, argument: str) -> None:
        path = resolve(cwd, argument)

        assert path.startswith("/")
        assert path == "/" or {"", ".", ".."}.isdisjoint(path[1:].split("/"))
        assert resolve("/elsewhere", path) == path


@given(PATHS.filter(lambda path: path != "/"))
def test_a_path_is_its_parent_joined_with_its_name(path: str) -> None:
    assert join(*split(path)) == path


@pytest.mark.parametrize(
    ("path", "parts"), [("/", ("/", "")), ("/a", ("/", "a")), ("/a/b", ("/a", "b")), ("/a/b/c", ("/a/b", "c"))]
)
def test_split(path: str, parts: tuple[str, str]) -> None:
    assert split(path) == parts


class TestQuoting:
    @pytest.mark.req("S-959-PWD-1", "S-959-MKD-1")
    @pytest.mark.parametrize(("path", "quoted"), [("/", '"/"'), ('/a"b', '"/a""b"'), ('/"', '"/"""')])
    def test_quotes_are_doubled(self, path: str, quoted: str) -> None:
        assert quote(path) == quoted

    @pytest.mark.req("C-959-PWD-1")
    @pytest.mark.parametrize(
        ("text", "path"),
        [
            ('"/a" is cwd', "/a"),
            ('"/a"', "/a"),
            ('cwd is "/a"', "/a"),
            ('"/a""b" created', '/a"b'),
            ('""""', '"'),
            ('"/a"""', '/a"'),
            ('"""a" x', '"a'),
            ('"/a" "really"', "/a"),
            ('"/a b" "" x', "/a b"),
            ('"/a', "/a"),
            ('""', ""),
            ("/a is cwd", "/a"),
            ("/a", "/a"),
            ("", ""),
        ],
    )
    def test_a_path_is_read_up_to_the_quote_that_ends_it(self, text: str, path: str) -> None:
        assert unquote_257(text) == path

    @pytest.mark.req("C-959-PWD-1")
    @given(PATHS, st.sampled_from(["", " created", " is the current directory", ' "x"']))
    def test_what_a_server_quotes_a_client_reads(self, path: str, comment: str) -> None:
        assert unquote_257(quote(path) + comment) == path


@pytest.mark.req("S-SEC-6")
@pytest.mark.parametrize(
    ("cwd", "argument", "leaves"),
    [
        ("/", "a", False),
        ("/", "..", True),
        ("/a", "..", False),
        ("/a", "../..", True),
        ("/a/b", "/..", True),
        ("/a", "b/../..", False),
        ("/a", "b/../../..", True),
        ("/a", "./../b", False),
        ("/a", "//b//..//..", True),
        ("/", "", False),
    ],
)
def test_a_path_that_climbs_above_the_root(cwd: str, argument: str, leaves: bool) -> None:
    assert leaves_root(cwd, argument) is leaves


@pytest.mark.parametrize(
    ("path", "pattern"), [("a/b", False), ("", False), ("a]", False), ("*", True), ("a/b?", True), ("[", True)]
)
def test_patterns_are_told_from_names(path: str, pattern: bool) -> None:
    assert is_pattern(path) is pattern
