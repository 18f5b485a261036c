from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from fairlead.cli.options import rate
from tests.cli.session import EPSV, IN, TYPE_I, URL, Terminal
from tests.client.script import data, on


@pytest.mark.parametrize(
    ("text", "octets"), [("1", 1), ("200k", 204_800), ("1.5M", 1_572_864), ("2G", 1 << 31), ("10K", 10_240)]
)
def test_rate_is_a_number_with_a_unit(text: str, octets: int) -> None:
    assert rate(text).octets == octets


@pytest.mark.parametrize("text", ["", "0", "k", "-1", "1T", "1 k", "1.k", "٣k", "0.1"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="200k"):
        rate(text)


def test_get_is_held_to_the_rate(against: Callable[..., Terminal]) -> None:
    server = against(*IN, TYPE_I, on("SIZE f", "213 4096"), EPSV, on("RETR f", "150 go", data(bytes(4096)), "226 done"))
    assert server.run("get", "--limit-rate", "1k", f"{URL}/f") == 0
    assert Path("f").stat().st_size == 4096
    assert server.play.wire.time > 3.5
