from __future__ import annotations

import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from fairlead.ladder import pcapng
from fairlead.ladder.model import CONTROL, End, Kind, Ladder, Party, Step
from tests.ladder.sessions import ACTIVE_DROPPED, PASSIVE, client, ladder, ladders, said, server

TSHARK = shutil.which("tshark")
needs_tshark = pytest.mark.skipif(TSHARK is None, reason="needs tshark (Debian: tshark)")


def tshark(capture: Path, *arguments: str) -> list[str]:
    checks = [option for name in ("tcp", "ip") for option in ("-o", f"{name}.check_checksum:TRUE")]
    command = [str(TSHARK), "-n", "-r", str(capture), *checks, *arguments]
    run = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return run.stdout.splitlines()


def fields(capture: Path, *names: str, only: str = "frame") -> list[list[str]]:
    wanted = [part for name in names for part in ("-e", name)]
    return [line.split("\t") for line in tshark(capture, "-Y", only, "-T", "fields", *wanted)]


def kept(path: Path, drawn: Ladder) -> Path:
    capture = path / "ladder.pcapng"
    capture.write_bytes(pcapng.dump(drawn))
    return capture


@needs_tshark
def test_tshark_reads_the_dialogue_as_ftp(tmp_path: Path) -> None:
    capture = kept(tmp_path, PASSIVE)

    requests = fields(capture, "ftp.request.command", "ftp.request.arg", only="ftp.request == 1")
    assert requests == [["PASV", ""], ["RETR", "f"]]
    replies = fields(capture, "ftp.response.code", "ftp.passive.port", only="ftp.response == 1")
    assert replies == [["220", ""], ["227", "50069"], ["150", ""], ["226", ""]]


@needs_tshark
def test_tshark_reads_the_data_as_that_of_the_dialogue(tmp_path: Path) -> None:
    capture = kept(tmp_path, PASSIVE)

    lengths = [int(length) for (length,) in fields(capture, "tcp.len", only="ftp-data")]
    assert sum(lengths) == 70000


@needs_tshark
@pytest.mark.parametrize("drawn", [PASSIVE, ACTIVE_DROPPED])
def test_checksums_and_sequence_numbers_are_right(tmp_path: Path, drawn: Ladder) -> None:
    capture = kept(tmp_path, drawn)

    wrong = "_ws.malformed || tcp.analysis.flags || ip.checksum.status == 0 || tcp.checksum.status == 0"
    assert tshark(capture, "-Y", f"{wrong}") == []


@needs_tshark
def test_ipv6_and_icmp_are_decoded_with_right_checksums(tmp_path: Path) -> None:
    ours, theirs = End("client", "2001:db8::1", 40000), End("server", "2001:db8::2", 21)
    call = Step(at=0, kind=Kind.SYN, connection=CONTROL, source=ours, target=theirs)
    refused = replace(
        call, kind=Kind.ICMP, source=theirs, target=ours, text="no route to host", cause="control-refused"
    )
    capture = kept(tmp_path, Ladder(parties=(Party("client"), Party("server")), steps=(call, refused)))

    assert fields(capture, "ipv6.dst", "icmpv6.type", "icmpv6.checksum.status", "tcp.dstport", only="icmpv6") == [
        ["2001:db8::1,2001:db8::2", "1", "1", "21"]
    ]
    assert fields(capture, "tcp.checksum.status", only="tcp.flags.syn == 1 && !icmpv6") == [["1"]]


@needs_tshark
def test_icmp_of_ipv4_quotes_the_call(tmp_path: Path) -> None:
    call = Step(at=0, kind=Kind.SYN, connection=1, source=client(4000), target=server(5000))
    refused = Step(at=1, kind=Kind.ICMP, connection=1, source=server(5000), target=client(4000), text="unreachable")
    capture = kept(tmp_path, ladder(call, refused))

    assert fields(capture, "icmp.type", "icmp.checksum.status", "tcp.srcport", "tcp.dstport", only="icmp") == [
        ["3", "1", "4000", "5000"]
    ]


@needs_tshark
def test_notes_and_causes_are_comments(tmp_path: Path) -> None:
    comments = [comment for (comment,) in fields(kept(tmp_path, ACTIVE_DROPPED), "frame.comment") if comment]

    assert comments == ["client:1027 listens", "data: never arrived (active-dropped), sent 4 times"]


@needs_tshark
def test_times_are_kept_to_the_microsecond(tmp_path: Path) -> None:
    times = fields(kept(tmp_path, ladder(said(0, "NOOP"), said(0.000123, "200 ok"))), "frame.time_epoch")

    assert times == [["1069326020.500000000"], ["1069326020.500123000"]]


@needs_tshark
def test_transfer_of_many_octets_is_told_by_a_few_packets(tmp_path: Path) -> None:
    size = 5_000_000_000
    many = Step(at=0, kind=Kind.DATA, connection=1, source=server(20), target=client(4000), size=size)
    end = Step(at=1, kind=Kind.FIN, connection=1, source=server(20), target=client(4000))
    capture = kept(tmp_path, ladder(many, end))

    packets = fields(capture, "tcp.seq_raw", "tcp.len")
    assert len(packets) < 100
    assert int(packets[-1][0]) == (int(packets[0][0]) + size) % (1 << 32)
    assert capture.stat().st_size < 20_000


def test_reset_answers_a_call_with_the_right_number() -> None:
    call = Step(at=0, kind=Kind.SYN, connection=CONTROL, source=client(4000), target=server(21))
    reset = Step(at=0, kind=Kind.RST, connection=CONTROL, source=server(21), target=client(4000))

    packets = _packets(pcapng.dump(ladder(call, reset)))

    assert struct.unpack_from("!I", packets[1], 28)[0] == struct.unpack_from("!I", packets[0], 24)[0] + 1


@settings(deadline=None)
@given(ladders())
def test_any_ladder_makes_whole_blocks(drawn: Ladder) -> None:
    _packets(pcapng.dump(drawn))


def _packets(octets: bytes) -> list[bytes]:
    """The packets of a capture whose blocks are all whole."""
    found = []
    while octets:
        kind, length = struct.unpack_from("<II", octets)
        assert length % 4 == 0
        assert struct.unpack_from("<I", octets, length - 4)[0] == length
        if kind == 6:
            captured, original = struct.unpack_from("<II", octets, 20)
            assert captured <= original
            found.append(octets[28 : 28 + captured])
        octets = octets[length:]
    return found
