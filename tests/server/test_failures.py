"""From failures to replies: one table, and every code in it is one the command may have."""

from __future__ import annotations

import pytest

from fairlead import errors
from fairlead.errors import DataConnectionError, FairleadError, StorageError
from fairlead.proto.sequences import SEQUENCES, TRANSFERS, legal
from fairlead.reach.cause import Cause
from fairlead.server.failures import CODES, NOT_OPENED, AbortedError, cause_of, code_for, reply_for
from fairlead.server.registry import COMMANDS

STORING = {"STOR", "STOU", "APPE", "MKD", "XMKD", "RNTO"}
TOUCHING = sorted(verb for verb, spec in COMMANDS.items() if spec.path or spec.storage or spec.data or verb == "STAT")
KINDS = [
    errors.NotFound, errors.NotADirectory, errors.IsADirectory, errors.AlreadyExists, errors.NotEmpty, errors.Denied,
    errors.InvalidName, errors.Busy, errors.NoSpace, errors.StorageFault,
]  # fmt: skip
DATA_CAUSES = [Cause.DATA_CUT, Cause.DATA_STALLED, *sorted(NOT_OPENED)]


def subclasses(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(subclasses(below) for below in kind.__subclasses__()))


@pytest.mark.req("S-959-GRAM-13", "S-ERR-4", "S-ERR-5")
@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_of_the_store_has_a_code_the_command_may_have(kind: type[StorageError]) -> None:
    wrong = []
    for verb in TOUCHING:
        if kind is errors.NoSpace and verb not in STORING:
            continue
        if not legal(verb, before := code_for(kind("/x"), verb, started=False)):
            wrong.append((verb, before))
        after = code_for(kind("/x"), verb, started=True)
        if verb in TRANSFERS and not legal(verb, after, preliminary_seen=True):
            wrong.append((verb, after))
    assert wrong == []


@pytest.mark.req("S-959-DC-3", "S-959-DC-4", "S-ERR-6")
@pytest.mark.parametrize("cause", DATA_CAUSES)
def test_a_failure_of_the_data_connection_is_425_when_it_was_not_made_and_426_when_it_broke(cause: Cause) -> None:
    error = DataConnectionError(cause, "It failed")
    for verb in sorted(TRANSFERS & set(COMMANDS)):
        code = code_for(error, verb, started=True)
        assert code == (426 if cause in {Cause.DATA_CUT, Cause.DATA_STALLED} else 425)
        assert legal(verb, code, preliminary_seen=True)
    assert cause_of(error) == cause


@pytest.mark.req("S-ERR-5", "S-ERR-6", "S-ERR-8")
@pytest.mark.parametrize(
    ("kind", "verb", "before", "after"),
    [
        (errors.NotFound, "RETR", 550, 451),
        (errors.NotFound, "LIST", 450, 451),
        (errors.NotFound, "STOR", 553, 451),
        (errors.Denied, "RNTO", 553, 451),
        (errors.Denied, "DELE", 550, 451),
        (errors.Busy, "RETR", 450, 451),
        (errors.Busy, "STOR", 450, 451),
        (errors.NoSpace, "STOR", 452, 552),
        (errors.StorageFault, "RETR", 450, 451),
        (errors.OffsetError, "RETR", 554, 451),
        (AbortedError, "RETR", 426, 426),
        (errors.TruncatedError, "STOR", 426, 426),
        (ValueError, "RETR", 451, 451),
    ],
)
def test_the_codes_are_those_of_the_matrix(kind: type[Exception], verb: str, before: int, after: int) -> None:
    assert code_for(kind(), verb, started=False) == before
    assert code_for(kind(), verb, started=True) == after


def test_every_error_a_server_can_meet_is_in_the_table() -> None:
    met = subclasses(StorageError) | subclasses(errors.ProtocolError) | {errors.PathError, AbortedError}
    public = {kind for kind in met if kind.__module__.startswith("fairlead.")}
    assert {kind for kind in public if not any(base in CODES for base in kind.__mro__)} == {StorageError}


@pytest.mark.req("S-ERR-8")
def test_what_may_succeed_unchanged_is_transient() -> None:
    for kind in (errors.Busy, errors.NoSpace, errors.StorageFault):
        for verb in ("RETR", "STOR", "DELE", "MKD", "RNTO"):
            assert reply_for(kind("/x"), verb).transient


@pytest.mark.req("S-SEC-6")
def test_an_unforeseen_exception_tells_the_client_nothing() -> None:
    reply = reply_for(ValueError("/srv/real/path"), "RETR")
    assert "real" not in reply.text
    assert str(FairleadError("Plain words")) + "." == reply_for(FairleadError("Plain words"), "RETR").text


def test_all_codes_of_the_table_are_known() -> None:
    known = {code for sequence in SEQUENCES.values() for codes in sequence for code in codes}
    assert {code for codes in CODES.values() for code in (codes.before, codes.after)} <= known
