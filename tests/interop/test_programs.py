"""What single programs do beyond fetching and storing, against our server."""

from __future__ import annotations

import ftplib
import os
import socket
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from fairlead import Client
from fairlead.client.trace import Answered
from tests.interop.matrix import CONTENTS, GIANT, GIANT_DIGEST, HOSTS, digest, make_giant
from tests.peers.clients import CLIENTS, DEADLINE, Lftp, Refused, run
from tests.peers.fairlead import fairlead
from tests.peers.programs import need_root, program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers.fairlead import Fairlead
    from tests.peers.servers import Server

LFTP = Lftp()
GIANT_DEADLINE = 150.0


def make_tree(root: Path) -> dict[str, bytes]:
    """A tree of files; returns what is in each."""
    files = {
        "top.txt": b"top",
        "a/one.bin": CONTENTS["lines"],
        "a/b/deep file.bin": CONTENTS["3 MB"],
        "empty/.hidden": b"",
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return files


def tree(root: Path) -> dict[str, bytes]:
    return {os.fspath(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def curl(server: Server, path: str, *options: str | Path, deadline: float = DEADLINE) -> bytes:
    login = ["--user", f"{server.user}:{server.password}"]
    return run([program("curl"), "--globoff", "-sS", *login, *options, f"{server.url}/{path}"], deadline=deadline)


@pytest.mark.parametrize("mode", LFTP.modes["v4"])
def test_lftp_mirrors_a_tree_there_and_back(own: Fairlead, tmp_path: Path, mode: str) -> None:
    server = own.at(HOSTS["v4"])
    files = make_tree(tmp_path / "here")

    LFTP.script(server, mode, b"mirror -R -P 4 %s /there" % bytes(tmp_path / "here"))
    assert tree(own.root / "there") == files
    LFTP.script(server, mode, b"mirror -P 4 /there %s" % bytes(tmp_path / "back"))
    assert tree(tmp_path / "back") == files


@pytest.mark.parametrize("facts", [b"yes", b"no"], ids=["MLSD", "LIST"])
def test_lftp_mirrors_only_what_changed(own: Fairlead, tmp_path: Path, facts: bytes) -> None:
    server = own.at(HOSTS["v4"])
    make_tree(own.root)
    mirror = b"set ftp:use-mlsd %s; mirror / %s" % (facts, bytes(tmp_path / "back"))
    LFTP.script(server, "epsv", mirror)
    began = own.now()

    LFTP.script(server, "epsv", mirror)

    # A session's records come in order: that of the last listing comes after any of a file.
    listings = own.wait_for("transfer", 4, since=began)
    assert {record["verb"] for record in listings} <= {"LIST", "MLSD"}


@pytest.mark.req("S-3659-REST-3", "S-3659-REST-7")
def test_lftp_fetches_one_file_in_four_parts(own: Fairlead, tmp_path: Path) -> None:
    content = CONTENTS["3 MB"]
    (own.root / "file").write_bytes(content)

    LFTP.script(own.at(HOSTS["v4"]), "epsv", b"pget -n 4 file -o %s" % bytes(tmp_path / "back"))

    assert (tmp_path / "back").read_bytes() == content


def test_lftp_changes_names_permissions_and_directories(own: Fairlead) -> None:
    (own.root / "old").write_bytes(b"x")

    LFTP.script(
        own.at(HOSTS["v6"]), "epsv", b"mkdir -p a/b; mv old a/new; chmod 600 a/new; rmdir a/b; mkdir gone; rm -r gone"
    )

    assert tree(own.root) == {"a/new": b"x"}
    assert (own.root / "a/new").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("method", ["multicwd", "singlecwd", "nocwd"])
def test_curl_reaches_a_file_by_each_method(own: Fairlead, method: str) -> None:
    files = make_tree(own.root)
    server = own.at(HOSTS["v4"])

    got = curl(server, "a/b/deep%20file.bin", "--ftp-method", method)
    names = [os.path.basename(name) for name in curl(server, "a/", "--ftp-method", method, "--list-only").split()]

    assert got == files["a/b/deep file.bin"]
    assert sorted(names) == [b"b", b"one.bin"]


def test_curl_makes_the_directories_of_an_upload(own: Fairlead, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x")

    curl(own.at(HOSTS["v4"]), "new/dir/file", "--ftp-create-dirs", "-T", tmp_path / "source")

    assert tree(own.root) == {"new/dir/file": b"x"}


def test_curl_sends_commands_before_and_after(own: Fairlead) -> None:
    (own.root / "old").write_bytes(b"x")
    (own.root / "file").write_bytes(b"content")
    orders = ["-Q", "MKD d", "-Q", "RNFR old", "-Q", "RNTO d/new", "-Q", "-DELE file"]

    got = curl(own.at(HOSTS["v4"]), "file", *orders)

    assert got == b"content"
    assert tree(own.root) == {"d/new": b"x"}


@pytest.mark.req("S-3659-MDTM-1", "S-3659-SIZE-1")
def test_curl_reads_size_and_time(own: Fairlead) -> None:
    (own.root / "file").write_bytes(b"12345")
    os.utime(own.root / "file", (1_000_000_000, 1_000_000_000))

    head = curl(own.at(HOSTS["v4"]), "file", "--head")

    assert b"Content-Length: 5" in head
    assert b"Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT" in head


def test_curl_takes_a_range_and_appends(own: Fairlead, tmp_path: Path) -> None:
    (own.root / "file").write_bytes(b"0123456789")
    (tmp_path / "more").write_bytes(b"abc")
    server = own.at(HOSTS["v4"])

    assert curl(server, "file", "--range", "2-5") == b"2345"
    curl(server, "file", "--append", "-T", tmp_path / "more")

    assert (own.root / "file").read_bytes() == b"0123456789abc"


@pytest.mark.req("S-959-ASC-1", "S-959-ASC-2")
def test_curl_sends_and_gets_text(own: Fairlead, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"one\ntwo\n")
    server = own.at(HOSTS["v4"])

    curl(server, "text", "--use-ascii", "--crlf", "-T", tmp_path / "text")
    assert (own.root / "text").read_bytes() == b"one\ntwo\n"
    assert curl(server, "text;type=a") == b"one\ntwo\n"  # curl makes them its system's line ends


def test_wget_fetches_a_tree(own: Fairlead, tmp_path: Path) -> None:
    files = make_tree(own.root)
    server = own.at(HOSTS["v4"])
    login = ["--user", server.user, "--password", server.password]

    run([program("wget"), "-q", "-m", "-nH", *login, f"{server.url}/"], place=tmp_path)

    found = tree(tmp_path)
    assert {name: found[name] for name in files} == files


def test_ncftp_sends_and_fetches_a_tree(own: Fairlead, tmp_path: Path) -> None:
    files = make_tree(tmp_path / "here")
    server = own.at(HOSTS["v4"])
    login = ["-V", "-u", server.user, "-p", server.password, "-P", str(server.port), "-R"]
    (tmp_path / "back").mkdir()

    run([program("ncftpput"), *login, server.host, "/", tmp_path / "here"])
    assert tree(own.root / "here") == files
    run([program("ncftpget"), *login, server.host, tmp_path / "back", "/here"])
    assert tree(tmp_path / "back" / "here") == files


@pytest.mark.req("S-3659-MLSD-1", "S-959-MKD-1", "S-959-PWD-1")
def test_ftplib_walks_the_tree(own: Fairlead) -> None:
    server = own.at(HOSTS["v6"])
    with ftplib.FTP(timeout=30) as session:
        session.connect(server.host, server.port)
        session.login(server.user, server.password)

        assert session.mkd('a "quoted" name') == '/a "quoted" name'
        session.cwd('a "quoted" name')
        assert session.pwd() == '/a "quoted" name'
        session.cwd("..")
        session.rename('a "quoted" name', "plain")
        (own.root / "plain" / "file").write_bytes(b"12345")
        assert [(name, facts["size"]) for name, facts in session.mlsd("plain", ["size", "type"])] == [("file", "5")]
        lines: list[str] = []
        session.dir("plain", lines.append)
        assert [line.split()[-1] for line in lines] == ["file"]
        assert session.size("plain/file") == 5
        session.delete("plain/file")
        session.rmd("plain")

    assert list(own.root.iterdir()) == []


@pytest.mark.parametrize("name", CLIENTS)
def test_a_missing_file_is_refused(own: Fairlead, tmp_path: Path, name: str) -> None:
    caller = CLIENTS[name]

    with pytest.raises((Refused, ftplib.error_perm)):
        caller.fetch(own.at(HOSTS["v4"]), caller.modes["v4"][0], b"missing", tmp_path / "back")


@pytest.mark.parametrize("verb", ["MKD", "DELE", "RNFR", "STOR", "CWD", "SIZE", "MLST"])
def test_a_name_with_a_line_end_is_refused(own: Fairlead, verb: str) -> None:
    (own.root / "b").write_bytes(b"kept")
    server = own.at(HOSTS["v4"])
    with socket.create_connection((server.host, server.port), timeout=30) as control, control.makefile("rb") as replies:

        def answer(command: bytes) -> bytes:
            control.sendall(command)
            return replies.readline()[:3]

        assert replies.readline()[:3] == b"220"
        assert answer(b"USER %s\r\n" % server.user.encode()) == b"331"
        assert answer(b"PASS %s\r\n" % server.password.encode()) == b"230"
        # CR NUL is how RFC 2640 writes a CR within a name; the LF behind it belongs to the name, too.
        assert answer(b"%s a\r\0\nDELE b\r\n" % verb.encode()) in {b"501", b"550", b"553"}
        assert answer(b"NOOP\r\n") == b"200"

    assert tree(own.root) == {"b": b"kept"}


@pytest.mark.req("S-1635-1", "S-1635-2", "S-1635-3")
def test_without_users_anybody_reads_and_nobody_writes(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x")
    with fairlead(users=False) as own:
        (own.root / "file").write_bytes(b"content")
        server = own.at(HOSTS["v4"])

        assert run([program("curl"), "-sS", f"{server.url}/file"]) == b"content"
        assert run([program("lftp"), "--norc", "-c", f"open {server.url}; cat file"]) == b"content"
        with pytest.raises(Refused, match=r"550|553"):
            run([program("curl"), "-sS", "-T", tmp_path / "source", f"{server.url}/new"])

        assert tree(own.root) == {"file": b"content"}


@pytest.mark.req("S-959-DP-2")
def test_active_mode_calls_from_port_20_when_the_server_listens_on_21() -> None:
    need_root("it listens on port 21")
    seen: list[Any] = []
    with fairlead(hosts=("127.0.21.20",), port=21) as own:
        server = own.at("127.0.21.20")
        for mode in ("port", "eprt"):
            with Client(server.url, user=server.user, password=server.password, mode=mode, trace=seen.append) as ftp:
                ftp.names()

    assert [record.address for record in seen if isinstance(record, Answered)] == [("127.0.21.20", 20)] * 2


@pytest.mark.req("S-959-DP-2")
@pytest.mark.parametrize("family", HOSTS)
def test_active_mode_calls_from_the_port_below_the_control_port(own: Fairlead, family: str) -> None:
    server = own.at(HOSTS[family])
    seen: list[Any] = []
    with Client(server.url, user=server.user, password=server.password, mode="eprt", trace=seen.append) as ftp:
        ftp.names()

    assert [record.address for record in seen if isinstance(record, Answered)] == [(server.host, server.port - 1)]


@pytest.mark.timeout(3 * GIANT_DEADLINE)
@pytest.mark.req("S-959-IMG-1", "S-3659-REST-7")
def test_five_gibibytes_go_both_ways_whole(own_in_memory: Fairlead, tmp_path: Path) -> None:
    own = own_in_memory
    server = own.at(HOSTS["v4"])
    make_giant(tmp_path / "giant")

    curl(server, "giant", "-T", tmp_path / "giant", deadline=GIANT_DEADLINE)

    assert (own.root / "giant").stat().st_size == GIANT
    assert digest(own.root / "giant") == GIANT_DIGEST
    login = f"{server.user}:{server.password}"
    command = [program("curl"), "-sS", "--user", login, f"{server.url}/giant"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as fetching:
        summed = run([program("openssl"), "dgst", "-sha256", "-r"], source=fetching.stdout, deadline=GIANT_DEADLINE)
    assert summed.split()[0].decode() == GIANT_DIGEST
    resumed = curl(server, "giant", "--range", f"{2**32 - 2}-{2**32 + 2}")
    assert resumed == b"4 GiB"
