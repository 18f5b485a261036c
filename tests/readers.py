"""Both readers of directories, for tests that hold for each: the accelerator, and Python alone."""

from __future__ import annotations

import pytest

from fairlead.storage.local import lines

READERS = ("accelerated", "portable")


def choose(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have directories read by ``reader``; skips the test where there is none."""
    if reader == "portable":
        monkeypatch.setattr(lines, "functions", lambda: None)
    elif lines.functions() is None:
        pytest.skip("the accelerator is not built or off: apt-get install gcc, then make install")


@pytest.fixture(params=READERS)
def each_reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The reader that is in use."""
    reader: str = request.param
    choose(reader, monkeypatch)
    return reader
