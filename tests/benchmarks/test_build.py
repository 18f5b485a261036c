"""What the benchmarks compile before they measure."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import fairlead
from benchmarks.build import build_modules


def test_bytecode_of_our_modules_is_as_new_as_they_are_even_where_runs_write_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    compiled = Path(importlib.util.cache_from_source(fairlead.__file__))
    compiled.unlink(missing_ok=True)

    build_modules()

    assert int.from_bytes(compiled.read_bytes()[8:12], "little") == int(Path(fairlead.__file__).stat().st_mtime)
