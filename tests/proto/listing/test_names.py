from __future__ import annotations

import os

from fairlead.proto.listing.layout import Slot
from fairlead.proto.listing.names import NameFormatter

STATUS = os.stat_result((0,) * 10)


def test_each_name_has_a_line_after_the_prefix() -> None:
    items = [("a b", STATUS, None), ("é\udcff", STATUS, "target")]
    assert NameFormatter("x/").lines(items) == b"x/a b\r\nx/\xc3\xa9\xff\r\n"


def test_control_characters_make_no_lines() -> None:
    assert NameFormatter("").lines([("a\r\nb\x7f", STATUS, None)]) == b"a??b?\r\n"


def test_the_layout_says_the_same() -> None:
    layout = NameFormatter("x/").layout()
    assert list(layout.pieces(STATUS)) == ["x/", Slot.NAME, "\r\n"]
    assert (layout.masks, layout.follows, layout.bare) == (True, False, True)
