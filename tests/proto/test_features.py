from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ProtocolError
from fairlead.proto.features import feature_reply, parse_features
from fairlead.proto.reply import Reply

LABELS = st.text(st.characters(min_codepoint=0x41, max_codepoint=0x5A), min_size=1, max_size=5)
PARAMETERS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=8)


@pytest.mark.req("S-2389-FEAT-1")
def test_each_feature_has_a_line_with_one_space_in_front() -> None:
    lines = feature_reply(["SIZE", "REST STREAM", "UTF8"]).encode().decode().split("\r\n")

    assert lines == ["211-Features:", " SIZE", " REST STREAM", " UTF8", "211 End", ""]
    assert all(re.fullmatch(r" [!-~]+( [ -~\t]+)?", line) for line in lines[1:-2])


@pytest.mark.req("S-2389-FEAT-2")
def test_without_features_the_reply_has_one_line() -> None:
    assert feature_reply([]).encode() == b"211 No features.\r\n"


@pytest.mark.req("C-2389-FEAT-1")
@pytest.mark.parametrize(
    ("lines", "features"),
    [
        (("Features:", " SIZE", " REST STREAM", "End"), {"SIZE": "", "REST": "STREAM"}),
        (("Extensions:", " size", "  mlst Type*;Size; ", "END"), {"SIZE": "", "MLST": "Type*;Size;"}),
        (("Features:", "SIZE", "MDTM", "End"), {"SIZE": "", "MDTM": ""}),
        (("Features:", " AUTH TLS", " AUTH SSL", "End"), {"AUTH": "TLS;SSL"}),
        (("Features:", " AUTH", " AUTH SSL", "", " ", "End"), {"AUTH": "SSL"}),
        (("No features",), {}),
        (("Features:", "End"), {}),
    ],
)
def test_labels_are_read_in_any_case_and_with_any_spaces(lines: tuple[str, ...], features: dict[str, str]) -> None:
    assert parse_features(Reply(211, *lines)) == features


@pytest.mark.req("C-2389-FEAT-1")
@pytest.mark.parametrize("code", [500, 502, 530, 200])
def test_another_reply_tells_nothing_of_the_features(code: int) -> None:
    with pytest.raises(ProtocolError):
        parse_features(Reply(code, "x"))


@given(st.dictionaries(LABELS, PARAMETERS, max_size=5))
def test_what_a_server_lists_a_client_reads(features: dict[str, str]) -> None:
    listed = [f"{label} {parameters}".rstrip() for label, parameters in features.items()]

    assert parse_features(feature_reply(listed)) == features
