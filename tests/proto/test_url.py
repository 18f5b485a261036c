from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ArgumentError
from fairlead.proto.url import PORTS, FtpUrl, parse_url


@pytest.mark.req("U-1738-1", "U-1738-6", "U-DF-9")
@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("ftp://host", FtpUrl("ftp", "host", 21, directory=True)),
        ("ftp://host/", FtpUrl("ftp", "host", 21, directory=True)),
        ("FTP://host:2121/a", FtpUrl("ftp", "host", 2121, segments=("a",))),
        ("ftp://host:/a", FtpUrl("ftp", "host", 21, segments=("a",))),
        ("ftps://host/a", FtpUrl("ftps", "host", 990, segments=("a",))),
        ("ftpes://host/a", FtpUrl("ftpes", "host", 21, segments=("a",))),
        ("ftp://192.0.2.1/a", FtpUrl("ftp", "192.0.2.1", 21, segments=("a",))),
        ("ftp://[::1]:2121/a", FtpUrl("ftp", "::1", 2121, segments=("a",))),
        ("ftp://[fe80::1%25eth0]/a", FtpUrl("ftp", "fe80::1%eth0", 21, segments=("a",))),
        ("ftp://me:secret@host/a/b", FtpUrl("ftp", "host", 21, "me", "secret", ("a", "b"))),
        ("ftp://h%6Fst/a", FtpUrl("ftp", "host", 21, segments=("a",))),
        ("ftp://host/a%20b/c%3Bd%23%3F", FtpUrl("ftp", "host", 21, segments=("a b", "c;d#?"))),
        ("ftp://host/a?b", FtpUrl("ftp", "host", 21, segments=("a?b",))),
        ("ftp://host/a#b", FtpUrl("ftp", "host", 21, segments=("a",))),
        ("ftp://host/100%", FtpUrl("ftp", "host", 21, segments=("100%",))),
        ("ftp://host/%C3%A9%E9", FtpUrl("ftp", "host", 21, segments=("é\udce9",))),
        ("ftp://host/é", FtpUrl("ftp", "host", 21, segments=("é",))),
    ],
)
def test_a_url_in_its_parts(text: str, url: FtpUrl) -> None:
    assert parse_url(text) == url


@pytest.mark.req("U-1738-5")
@pytest.mark.parametrize(
    ("text", "user", "password"),
    [
        ("ftp://host/", None, None),
        ("ftp://me@host/", "me", None),
        ("ftp://me:@host/", "me", ""),
        ("ftp://@host/", "", None),
        ("ftp://:@host/", "", ""),
        ("ftp://me:a:b@host/", "me", "a:b"),
        ("ftp://me%40home:a%2Fb%3A@host/", "me@home", "a/b:"),
        ("ftp://me@home:a@host/", "me@home", "a"),
    ],
)
def test_no_user_is_not_the_empty_user_and_no_password_not_the_empty_one(
    text: str, user: str | None, password: str | None
) -> None:
    url = parse_url(text)

    assert (url.user, url.password) == (user, password)


@pytest.mark.req("U-1738-2", "U-1738-3", "U-3986-7")
@pytest.mark.parametrize(
    ("text", "segments", "path"),
    [
        ("ftp://host/etc/motd", ("etc", "motd"), "etc/motd"),
        ("ftp://host/%2Fetc/motd", ("/etc", "motd"), "/etc/motd"),
        ("ftp://host/%2f/etc/motd", ("/", "etc", "motd"), "/etc/motd"),
        ("ftp://host/a/%2Fetc/motd", ("a", "/etc", "motd"), "/etc/motd"),
        ("ftp://host/a%2Fb/c", ("a/b", "c"), "a/b/c"),
        ("ftp://host//etc//motd", ("etc", "motd"), "etc/motd"),
        ("ftp://host/a/./b/../c", ("a", "c"), "a/c"),
        ("ftp://host/../../a", ("a",), "a"),
        ("ftp://host/a/%2E%2e/b", ("b",), "b"),
        ("ftp://host/a/%2e/b", ("a", "b"), "a/b"),
        ("ftp://host/a/..", (), ""),
        ("ftp://host/...", ("...",), "..."),
        ("ftp://host/", (), ""),
    ],
)
def test_a_path_is_split_first_and_decoded_then(text: str, segments: tuple[str, ...], path: str) -> None:
    url = parse_url(text)

    assert (url.segments, url.path) == (segments, path)


@pytest.mark.req("U-1738-4")
@pytest.mark.parametrize(
    ("text", "kind", "directory", "segments"),
    [
        ("ftp://host/a", None, False, ("a",)),
        ("ftp://host/a;type=a", "A", False, ("a",)),
        ("ftp://host/a;TYPE=I", "I", False, ("a",)),
        ("ftp://host/a;type=d", "D", True, ("a",)),
        ("ftp://host/a/;type=D", "D", True, ("a",)),
        ("ftp://host/a/", None, True, ("a",)),
        ("ftp://host/a/.", None, True, ("a",)),
        ("ftp://host/a/b/..", None, True, ("a",)),
        ("ftp://host/a;b", None, False, ("a;b",)),
        ("ftp://host/a;type=x/b", None, False, ("a;type=x", "b")),
        ("ftp://host/a%3Btype=i", None, False, ("a;type=i",)),
    ],
)
def test_the_type_and_what_asks_for_a_listing(
    text: str, kind: str | None, directory: bool, segments: tuple[str, ...]
) -> None:
    url = parse_url(text)

    assert (url.type, url.directory, url.segments) == (kind, directory, segments)


@pytest.mark.req("U-1738-6")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "host/path",
        "http://host/",
        "ftp:/host/",
        "ftp:host",
        "ftp://",
        "ftp:///a",
        "ftp://me@/a",
        "ftp://host:x/",
        "ftp://host:0/",
        "ftp://host:65536/",
        "ftp://host:99999999999999999999/",
        "ftp://::1/",
        "ftp://[host]/",
        "ftp://[::1/",
        "ftp://[::1]x/",
        "ftp://ho st/",
        "ftp://host?a",
        "ftp://host/a;type=x",
        "ftp://host/a;type=",
    ],
)
def test_what_is_no_ftp_url_is_refused(text: str) -> None:
    with pytest.raises(ArgumentError):
        parse_url(text)


@pytest.mark.req("U-SEC-8")
@pytest.mark.parametrize("part", ["%0D", "%0a", "%00", "\r", "\n", "\0"])
@pytest.mark.parametrize("text", ["ftp://host/a{}b", "ftp://m{}e@host/", "ftp://me:x{}@host/", "ftp://ho{}st/"])
def test_line_ends_and_nul_are_refused_wherever_they_stand(text: str, part: str) -> None:
    with pytest.raises(ArgumentError):
        parse_url(text.format(part))


def test_the_host_ends_where_the_path_begins_whatever_follows() -> None:
    assert parse_url("ftp://host/@elsewhere/").host == "host"
    assert parse_url("ftp://host#@elsewhere/").host == "host"


def test_a_password_never_shows() -> None:
    url = parse_url("ftp://me:secret@host/a")

    assert str(url) == "ftp://me:***@host/a"
    assert "secret" not in repr(url)
    assert str(parse_url("ftp://me:@host/a")) == "ftp://me:***@host/a"


@pytest.mark.parametrize(
    "text",
    [
        "ftp://host/",
        "ftp://host:2121/a/b",
        "ftp://host/a/",
        "ftp://me@host/a%20b;type=i",
        "ftp://@host/",
        "ftps://host:21/%2Fetc",
        "ftpes://[::1]:2121/a;type=d",
        "ftp://[fe80::1%25eth0]/",
        "ftp://host/%3B%23%3F%25%C3%A9%E9",
    ],
)
def test_a_url_reads_as_it_was_written(text: str) -> None:
    assert str(parse_url(text)) == text


SEGMENTS = (
    st.binary(min_size=1, max_size=5)
    .map(lambda octets: octets.decode("utf-8", "surrogateescape"))
    .filter(lambda text: text not in {".", ".."} and not {"\r", "\n", "\0"} & set(text))
)
HOSTS = st.from_regex(r"[a-z]{1,5}(\.[a-z]{1,3})?", fullmatch=True) | st.ip_addresses().map(str)


@pytest.mark.req("U-1738-1", "U-1738-2", "U-3986-7")
@given(
    scheme=st.sampled_from(sorted(PORTS)),
    host=HOSTS,
    port=st.integers(1, 65535),
    user=st.none() | SEGMENTS,
    segments=st.lists(SEGMENTS, max_size=3).map(tuple),
    kind=st.sampled_from([None, "A", "I", "D"]),
    directory=st.booleans(),
)
def test_what_is_written_is_read_back(
    scheme: str,
    host: str,
    port: int,
    user: str | None,
    segments: tuple[str, ...],
    kind: str | None,
    directory: bool,
) -> None:
    url = FtpUrl(scheme, host, port, user, None, segments, kind, directory or kind == "D" or not segments)

    assert parse_url(str(url)) == url
