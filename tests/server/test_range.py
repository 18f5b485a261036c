"""RANG: transfers of some octets of a file."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from fairlead.storage.local import LocalStorage
from tests.certificates import Pair
from tests.server.secure import login, protected
from tests.server.session import Control, Running, receive, reset

DATA = b"0123456789"
LARGE = bytes(range(256)) * 2048


def feature(control: Control, label: str) -> str | None:
    """The line of FEAT that begins with ``label``."""
    return next((line for line in control.ask("FEAT").lines if line.strip().split(" ")[0] == label), None)


@pytest.mark.req("S-RANG-4")
def test_the_feature_is_listed(running: Running) -> None:
    with running.connect() as control:
        assert feature(control, "RANG") == " RANG STREAM"


@pytest.mark.req("S-RANG-1", "S-RANG-2")
@pytest.mark.parametrize(
    ("argument", "octets"),
    [
        ("0 0", b"0"),
        ("0 1", b"01"),
        ("3 5", b"345"),
        ("9 9", b"9"),
        ("0 9", DATA),
        ("3 10", b"3456789"),
        ("0 99999999999999999999999999", DATA),
        ("00000000000000000000003 5", b"345"),
        ("10 12", b""),
        ("5000000000 6000000000", b""),
        ("1 0", DATA),
    ],
)
def test_a_retrieve_sends_the_octets_of_the_range(control: Control, root: Path, argument: str, octets: bytes) -> None:
    (root / "file").write_bytes(DATA)
    assert control.ask(f"RANG {argument}").code == 350
    assert control.fetch("RETR file") == octets
    assert control.fetch("RETR file") == DATA


@pytest.mark.req("S-RANG-1")
def test_a_range_of_a_large_file(control: Control, root: Path) -> None:
    (root / "file").write_bytes(LARGE)
    assert control.ask("RANG 1000 399999").code == 350
    assert control.fetch("RETR file") == LARGE[1000:400000]


@pytest.mark.req("S-RANG-1")
@pytest.mark.parametrize(
    "argument", ["", "1", "1 2 3", "2 1", "5 0", "1  2", " 1 2", "-1 2", "a b", "0x1 2", "1.5 2", "\u0661 2", "1 2 "]
)
def test_a_wrong_range_is_refused_and_resets(control: Control, root: Path, argument: str) -> None:
    (root / "file").write_bytes(DATA)
    assert control.codes("RANG 3 5", f"RANG {argument}") == [350, 501]
    assert control.fetch("RETR file") == DATA


@pytest.mark.req("S-RANG-1")
def test_the_later_of_rest_and_rang_counts(control: Control, root: Path) -> None:
    (root / "file").write_bytes(DATA)
    assert control.codes("REST 4", "RANG 3 5") == [350, 350]
    assert control.fetch("RETR file") == b"345"
    assert control.codes("RANG 3 5", "REST 4") == [350, 350]
    assert control.fetch("RETR file") == b"456789"
    assert control.codes("RANG 3 5", "RANG 1 0", "RANG 2 3", "REST 0") == [350] * 4
    assert control.fetch("RETR file") == DATA


@pytest.mark.req("S-RANG-1")
@pytest.mark.parametrize("between", ["PWD", "SIZE file", "LIST -d", "RETR", "REIN"])
def test_another_command_between_makes_it_forgotten(control: Control, root: Path, between: str) -> None:
    (root / "file").write_bytes(DATA)
    assert control.ask("RANG 3 5").code == 350
    if between.startswith("LIST"):
        control.fetch(between)
    else:
        control.ask(between)
    if between == "REIN":
        assert control.codes("USER me", "PASS secret", "TYPE I") == [331, 230, 200]
    assert control.fetch("RETR file") == DATA


@pytest.mark.req("S-RANG-1")
def test_it_is_used_up_by_a_transfer_that_fails(control: Control, root: Path) -> None:
    (root / "file").write_bytes(DATA)
    assert control.codes("RANG 3 5", "RETR none") == [350, 550]
    assert control.fetch("RETR file") == DATA


@pytest.mark.req("S-RANG-4")
def test_other_representations_have_no_ranges(control: Control, root: Path) -> None:
    (root / "file").write_bytes(DATA)
    assert control.codes("TYPE A", "RANG 3 5", "RANG 1 0", "TYPE L 8", "RANG 3 5", "TYPE A") == [
        200, 551, 350, 200, 350, 200,
    ]  # fmt: skip
    assert control.ask("RETR file").code == 555
    assert control.codes("TYPE I", "RANG 3 5", "TYPE A", "STOR file") == [200, 350, 200, 555]
    assert (root / "file").read_bytes() == DATA


@pytest.mark.req("S-RANG-1")
def test_a_range_needs_a_login(running: Running) -> None:
    with running.connect() as control:
        assert control.ask("RANG 0 1").code == 530


@pytest.mark.req("S-RANG-3")
@pytest.mark.parametrize("verb", ["STOR", "APPE"])
@pytest.mark.parametrize(
    ("argument", "octets", "after"),
    [
        ("3 5", b"abc", b"012abc6789"),
        ("0 0", b"a", b"a123456789"),
        ("9 9", b"a", b"012345678a"),
        ("0 9", b"abcdefghij", b"abcdefghij"),
        ("8 11", b"abcd", b"01234567abcd"),
        ("10 11", b"ab", b"0123456789ab"),
    ],
)
def test_a_store_changes_the_octets_of_the_range(
    control: Control, root: Path, verb: str, argument: str, octets: bytes, after: bytes
) -> None:
    (root / "file").write_bytes(DATA)
    assert control.ask(f"RANG {argument}").code == 350
    assert control.store(f"{verb} file", octets).code == 226
    assert (root / "file").read_bytes() == after
    assert control.store("STOR file", b"x").code == 226
    assert (root / "file").read_bytes() == b"x"


@pytest.mark.req("S-RANG-3")
def test_a_large_range_of_a_large_file(control: Control, root: Path) -> None:
    (root / "file").write_bytes(LARGE)
    assert control.ask("RANG 1000 399999").code == 350
    assert control.store("STOR file", b"x" * 399_000).code == 226
    assert (root / "file").read_bytes() == LARGE[:1000] + b"x" * 399_000 + LARGE[400_000:]


@pytest.mark.req("S-RANG-3")
def test_a_store_makes_a_file_from_its_first_octet_on(control: Control, root: Path) -> None:
    assert control.ask("RANG 0 2").code == 350
    assert control.store("STOR new", b"abc").code == 226
    assert (root / "new").read_bytes() == b"abc"


@pytest.mark.req("S-RANG-3")
@pytest.mark.parametrize("there", [True, False])
def test_a_store_beyond_the_end_is_refused(control: Control, root: Path, there: bool) -> None:
    if there:
        (root / "file").write_bytes(DATA)
    assert control.codes("RANG 11 12", "STOR file") == [350, 554]
    assert [path.name for path in root.iterdir()] == (["file"] if there else [])


@pytest.mark.req("S-RANG-3")
@pytest.mark.parametrize(("octets", "code"), [(b"ab", 426), (b"", 426), (b"abcd", 451), (b"x" * 300_000, 451)])
def test_too_few_or_too_many_octets_change_nothing(control: Control, root: Path, octets: bytes, code: int) -> None:
    (root / "file").write_bytes(DATA)
    assert control.ask("RANG 3 5").code == 350
    with control.passive() as data:
        assert control.ask("STOR file").code == 150
        try:
            data.sendall(octets)
        except ConnectionError:
            assert code == 451
        data.close()
        assert control.read().code == code
    assert (root / "file").read_bytes() == DATA
    assert [path.name for path in root.iterdir()] == ["file"]


@pytest.mark.req("S-RANG-3")
def test_an_aborted_store_changes_nothing(control: Control, root: Path) -> None:
    (root / "file").write_bytes(DATA)
    assert control.ask("RANG 3 5").code == 350
    with control.passive() as data:
        assert control.ask("STOR file").code == 150
        data.sendall(b"ab")
        control.send("ABOR")
        assert control.read_codes(2) == [426, 226]
        with suppress(ConnectionResetError):  # what was sent may not have been read
            assert receive(data) == b""
    assert (root / "file").read_bytes() == DATA
    assert [path.name for path in root.iterdir()] == ["file"]


@pytest.mark.req("S-RANG-3")
def test_a_store_whose_connection_breaks_changes_nothing(control: Control, root: Path) -> None:
    (root / "file").write_bytes(DATA)
    assert control.ask("RANG 3 5").code == 350
    with control.passive() as data:
        assert control.ask("STOR file").code == 150
        data.sendall(b"ab")
        reset(data)
        assert control.read().code == 426
    assert (root / "file").read_bytes() == DATA
    assert [path.name for path in root.iterdir()] == ["file"]


@pytest.mark.req("S-RANG-1", "S-RANG-3")
def test_ranges_under_tls(storage: LocalStorage, root: Path, pair: Pair, context: ssl.SSLContext) -> None:
    (root / "file").write_bytes(LARGE)
    with protected(storage, pair) as server, login(server, context) as control:
        assert control.ask("RANG 1000 399999").code == 350
        assert control.fetch("RETR file") == LARGE[1000:400000]
        assert control.ask("RANG 1000 399999").code == 350
        assert control.store("STOR file", b"x" * 399_000).code == 226
    assert (root / "file").read_bytes() == LARGE[:1000] + b"x" * 399_000 + LARGE[400_000:]


@pytest.mark.req("S-RANG-3")
def test_a_reader_stores_no_range(running: Running, root: Path) -> None:
    (root / "file").write_bytes(DATA)
    with running.login("anonymous", "me@example.com") as control:
        assert control.codes("RANG 3 5", "STOR file") == [350, 553]
        assert control.codes("RANG 3 5") == [350]
        assert control.fetch("RETR file") == b"345"
