from __future__ import annotations

import pytest

from fairlead.errors import UnsupportedError
from fairlead.proto.codec import Representation, check_served, decoder_for, encoder_for, is_identity
from fairlead.proto.codec.ascii import AsciiDecoder, AsciiEncoder
from fairlead.proto.codec.image import ImageDecoder, ImageEncoder


def test_a_session_begins_with_ascii_non_print_file_stream() -> None:
    assert Representation() == ("A", "N", "F", "S", 8)


@pytest.mark.req("S-1123-TYPE-2")
@pytest.mark.parametrize("representation", [Representation("I"), Representation("L", size=8), Representation("I", "T")])
def test_image_and_logical_bytes_of_eight_bits_are_the_file_itself(representation: Representation) -> None:
    assert is_identity(representation)
    assert isinstance(encoder_for(representation), ImageEncoder)
    assert isinstance(decoder_for(representation), ImageDecoder)


@pytest.mark.req("S-1123-TYPE-3")
@pytest.mark.parametrize("form", ["N", "T"])
def test_ascii_is_the_same_with_telnet_format_controls(form: str) -> None:
    representation = Representation("A", form)

    assert not is_identity(representation)
    assert isinstance(encoder_for(representation), AsciiEncoder)
    assert isinstance(decoder_for(representation), AsciiDecoder)
    assert decoder_for(representation, held=b"\r").held == b"\r"


@pytest.mark.parametrize(
    ("representation", "said"),
    [
        (Representation("X"), "TYPE X N with STRU F and MODE S"),
        (Representation("A", "X"), "TYPE A X with STRU F and MODE S"),
        (Representation("L", size=0), "TYPE L 0 with STRU F and MODE S"),
        (Representation("L", size=256), "TYPE L 256 with STRU F and MODE S"),
        (Representation("E", structure="X"), "TYPE E N with STRU X and MODE S"),
        (Representation("I", mode="X"), "TYPE I with STRU F and MODE X"),
        (Representation("L", structure="P", size=7), "TYPE L 7 with STRU P and MODE S"),
    ],
)
def test_what_is_in_no_document_is_not_served(representation: Representation, said: str) -> None:
    assert not is_identity(representation)
    for attempt in (encoder_for, decoder_for, check_served):
        with pytest.raises(UnsupportedError, match=said):
            attempt(representation)
