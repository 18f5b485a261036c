"""A file's time goes with it, either way."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from fairlead.client import _local
from fairlead.errors import PermanentError
from tests.client.script import Step, data, door, on, session, take

pytestmark = pytest.mark.req("C-MFXX-1")
WHEN = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
STAMP = "20200102030405"
TYPE_I = on("TYPE I", "200 ok")
EPSV = on("EPSV", door(5001), "229 ok (|||5001|)")
STOR = on("STOR f", "150 go", take("226 done"))
OTHER = on("MDTM f", "213 20240101000000")
THEN = on("MDTM f", f"213 {STAMP}")
BY_MDTM = f"MDTM {STAMP} f"
BY_SITE = f"SITE UTIME {STAMP} f"


def features(*lines: str) -> tuple[Step, ...]:
    return (on("FEAT", "211-Features:\r\n" + "".join(f" {line}\r\n" for line in lines) + "211 End"),)


@pytest.mark.parametrize(
    ("offer", "steps"),
    [
        (["MFMT", "MFF Modify;"], [on(f"MFMT {STAMP} f", f"213 Modify={STAMP}; f")]),
        (["MFMT"], [on(f"MFMT {STAMP} f", "213 ok"), THEN]),
        (["MFMT"], [on(f"MFMT {STAMP} f", "213 modify=never; f"), THEN]),
        (["MFF Create;Modify;"], [on(f"MFF Modify={STAMP}; f", f"213 Modify={STAMP}.000; f")]),
        (
            ["MFMT", "MFF Modify;"],
            [on(f"MFMT {STAMP} f", "502 no"), on(f"MFF Modify={STAMP}; f", f"213 Modify={STAMP};")],
        ),
        (["MFF UNIX.mode;"], [OTHER, on(BY_MDTM, "213 set"), THEN]),
        ([], [OTHER, on(BY_MDTM, "253 set"), THEN]),
        ([], [OTHER, on(BY_MDTM, "550 no file of that name"), on(BY_SITE, "200 ok"), THEN]),
        ([], [OTHER, on(BY_MDTM, "213 20240101000000"), OTHER, on(BY_SITE, "200 ok"), THEN]),
    ],
)
def test_time_is_set_by_what_the_server_has_and_read_back(offer: list[str], steps: list[Step]) -> None:
    with session(*steps, features=features(*offer)) as s:
        assert s.ftp.set_mtime("f", WHEN) == WHEN


def test_time_the_server_made_of_it_is_told() -> None:
    with session(on(f"MFMT {STAMP} f", "213 Modify=20200102030400; f"), features=features("MFMT")) as s:
        assert s.ftp.set_mtime("f", WHEN) == WHEN.replace(second=0)


def test_time_goes_out_in_utc_and_whole_seconds() -> None:
    here = WHEN.astimezone(timezone(timedelta(hours=-11))).replace(microsecond=999_999)
    with session(on(f"MFMT {STAMP} f", f"213 Modify={STAMP}; f"), features=features("MFMT")) as s:
        assert s.ftp.set_mtime("f", here) == WHEN


def test_server_without_any_way_is_tried_once() -> None:
    steps = (OTHER, on(BY_MDTM, "501 what?"), on(BY_SITE, "500 what?"), OTHER)
    with session(*steps) as s:
        assert s.ftp.set_mtime("f", WHEN) is None
        assert s.ftp.set_mtime("f", WHEN) is None
        assert s.ftp.mtime("f") == datetime(2024, 1, 1, tzinfo=UTC)


def test_nothing_is_tried_where_nobody_could_tell_whether_it_served() -> None:
    with session(on("MDTM f", "500 what?")) as s:
        assert s.ftp.set_mtime("f", WHEN) is None


def test_refused_mfmt_is_an_error() -> None:
    with (
        session(on(f"MFMT {STAMP} f", "550 not yours"), features=features("MFMT")) as s,
        pytest.raises(PermanentError, match="550 not yours"),
    ):
        s.ftp.set_mtime("f", WHEN)


@pytest.mark.parametrize(("reply", "modified"), [(f"213 Modify={STAMP}; f", WHEN), ("550 not yours", None)])
def test_upload_takes_the_time_along_and_is_done_without_it(
    tmp_path: Path, reply: str, modified: datetime | None
) -> None:
    local = tmp_path / "f"
    local.write_bytes(b"octets")
    os.utime(local, (WHEN.timestamp(), WHEN.timestamp() + 0.5))
    with session(TYPE_I, EPSV, STOR, on(f"MFMT {STAMP} f", reply), features=features("MFMT")) as s:
        assert s.ftp.upload(local, "f", times=True).modified == modified
        assert s.play.stored == b"octets"


def test_stream_has_no_time() -> None:
    with session(TYPE_I, EPSV, STOR, features=features("MFMT")) as s:
        assert s.ftp.upload(io.BytesIO(b"octets"), "f", times=True).modified is None
        with pytest.raises(ValueError, match="named file"):
            s.ftp.download("f", io.BytesIO(), times=True)


@pytest.mark.parametrize("by_descriptor", [True, False])
@pytest.mark.parametrize(("reply", "known"), [(f"213 {STAMP}", True), ("550 no", False)])
def test_download_gets_the_time_of_the_file_on_the_server(
    tmp_path: Path, reply: str, known: bool, by_descriptor: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_local, "_TIMES_BY_DESCRIPTOR", by_descriptor and _local._TIMES_BY_DESCRIPTOR)
    fetched = on("RETR f", "150 go", data(b"octets"), "226 done")
    with session(TYPE_I, on("SIZE f", "213 6"), EPSV, fetched, on("MDTM f", reply)) as s:
        result = s.ftp.download("f", tmp_path / "f", times=True)
    assert result.modified == (WHEN if known else None)
    assert ((tmp_path / "f").stat().st_mtime == WHEN.timestamp()) is known
