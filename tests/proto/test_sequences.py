from __future__ import annotations

import pytest

from fairlead.proto.sequences import MARKER, SEQUENCES, TRANSFERS, legal

# RFC 959 section 5.4, as the document prints it; the codes after a preliminary reply are behind the arrow.
RFC_959 = """
USER 230 530 500 501 421 331 332
PASS 230 202 530 500 501 503 421 332
ACCT 230 202 530 500 501 503 421
CWD 250 500 501 502 421 530 550
CDUP 200 500 501 502 421 530 550
SMNT 202 250 500 501 502 421 530 550
REIN 120 220 421 500 502
QUIT 221 500
PORT 200 500 501 421 530
PASV 227 500 501 502 421 530
MODE 200 500 501 504 421 530
TYPE 200 500 501 504 421 530
STRU 200 500 501 504 421 530
ALLO 200 202 500 501 504 421 530
REST 500 501 502 421 530 350
STOR 125 150 532 450 452 553 500 501 421 530 > 110 226 250 425 426 451 551 552
STOU 125 150 532 450 452 553 500 501 421 530 > 110 226 250 425 426 451 551 552
RETR 125 150 450 550 500 501 421 530 > 110 226 250 425 426 451
LIST 125 150 450 500 501 502 421 530 > 226 250 425 426 451
NLST 125 150 450 500 501 502 421 530 > 226 250 425 426 451
APPE 125 150 532 450 550 452 553 500 501 502 421 530 > 110 226 250 425 426 451 551 552
RNFR 450 550 500 501 502 421 530 350
RNTO 250 532 553 500 501 502 503 421 530
DELE 250 450 550 500 501 502 421 530
RMD 250 500 501 502 421 530 550
MKD 257 500 501 502 421 530 550
PWD 257 500 501 502 421 550
ABOR 225 226 500 501 502 421
SYST 215 500 501 502 421
STAT 211 212 213 450 500 501 502 421 530
HELP 211 214 500 501 502 421
SITE 200 202 500 501 530
NOOP 200 500 421
"""


@pytest.mark.parametrize("row", RFC_959.split("\n")[1:-1])
def test_all_that_rfc_959_allows_is_legal(row: str) -> None:
    before, _, after = row.partition(">")
    verb, *codes = before.split()

    assert [code for code in codes if not legal(verb, int(code))] == []
    assert [code for code in after.split() if not legal(verb, int(code), preliminary_seen=True)] == []


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        ("NOOP", 226),
        ("REIN", 230),
        ("PASS", 550),
        ("EPSV", 220),
        ("EPSV", 227),
        ("RETR", 553),
        ("STOR", 551),
        ("CWD", 257),
        ("RNFR", 250),
        ("REST", 200),
        ("QUIT", 226),
        ("FEAT", 213),
        ("NOOP", 299),
    ],
)
def test_other_codes_are_not(verb: str, code: int) -> None:
    assert not legal(verb, code)


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        ("EPRT", 522),
        ("EPSV", 229),
        ("EPSV", 200),
        ("FEAT", 211),
        ("OPTS", 451),
        ("MLST", 250),
        ("MDTM", 213),
        ("SIZE", 213),
    ],
)
def test_extensions_have_the_codes_of_their_documents(verb: str, code: int) -> None:
    assert legal(verb, code)


def test_verbs_may_be_in_lower_case() -> None:
    assert legal("noop", 200)
    assert legal("retr", MARKER, preliminary_seen=True)


def test_a_transfer_succeeds_only_after_its_preliminary_reply() -> None:
    assert sorted(TRANSFERS) == ["APPE", "LIST", "MLSD", "NLST", "RETR", "STOR", "STOU", "THMB"]
    for verb in TRANSFERS:
        assert not legal(verb, 226)
        assert legal(verb, 150)
        assert legal(verb, 226, preliminary_seen=True)


def test_there_is_one_preliminary_reply_at_most() -> None:
    for verb in SEQUENCES:
        assert not legal(verb, 150, preliminary_seen=True)
        assert not legal(verb, 120, preliminary_seen=True)


def test_markers_come_only_after_the_preliminary_reply_of_a_transfer() -> None:
    assert not legal("RETR", MARKER)
    assert not legal("REIN", MARKER, preliminary_seen=True)


def test_a_refusal_that_belongs_before_the_preliminary_reply_is_illegal_after_it() -> None:
    assert not legal("RETR", 550, preliminary_seen=True)
    assert not legal("STOR", 553, preliminary_seen=True)


def test_the_greeting_is_220_at_once_or_after_120_or_421() -> None:
    assert legal("", 220)
    assert legal("", 120)
    assert legal("", 421)
    assert legal("", 220, preliminary_seen=True)
    assert not legal("", 230)


def test_an_unknown_verb_can_only_be_refused() -> None:
    assert [code for code in range(100, 700) if legal("XYZZY", code)] == [421, 500, 502]


def test_the_service_may_end_with_any_command() -> None:
    for verb in SEQUENCES:
        assert legal(verb, 421)
