from __future__ import annotations

import pytest

from fairlead.errors import UnsupportedError
from fairlead.proto.codec import Representation, decoder_for, encoder_for, is_identity
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
        (Representation("A", "C"), "TYPE A C with STRU F and MODE S"),
        (Representation("E"), "TYPE E N with STRU F and MODE S"),
        (Representation("L", size=36), "TYPE L 36 with STRU F and MODE S"),
        (Representation("A", structure="R"), "TYPE A N with STRU R and MODE S"),
        (Representation("I", structure="P"), "TYPE I with STRU P and MODE S"),
        (Representation("I", mode="B"), "TYPE I with STRU F and MODE B"),
        (Representation("A", mode="C"), "TYPE A N with STRU F and MODE C"),
        (Representation("I", mode="Z"), "TYPE I with STRU F and MODE Z"),
    ],
)
def test_any_other_representation_is_not_served(representation: Representation, said: str) -> None:
    assert not is_identity(representation)
    with pytest.raises(UnsupportedError, match=said):
        encoder_for(representation)
    with pytest.raises(UnsupportedError, match=said):
        decoder_for(representation)
