"""The accelerator: a small library in C that does what Python is too slow for, where one could be compiled.

``hatch_build.py`` compiles the sources beside this module when Fairlead is installed; without a compiler there is no
library, and everything works all the same. Its functions read directories and
small files for ``fairlead.storage.local``, and serve passive ports for ``fairlead.server.dtp``. It belongs to none of
them, so that who needs one function loads nothing else.
"""

from __future__ import annotations

import os
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ctypes

VERSION = 9
"""What ``ACCELERATOR_VERSION`` in accelerator.h says; a library of another version is not used."""
SWITCH = "FAIRLEAD_ACCELERATOR"
"""The environment variable that keeps the library from being used where it is ``off``."""
LIBRARY = os.path.join(os.path.dirname(__file__), "accelerator.so")


class State(Enum):
    """Whether the accelerator is used, and why not, in words for a user."""

    IN_USE = "in use"
    OFF = f"off, for {SWITCH} says so"
    ABSENT = "not built, Python does its work"
    UNFIT = "built for another version or machine, Python does its work; install Fairlead again"


@cache
def find() -> tuple[State, ctypes.CDLL | None]:
    """The library, loaded once for the process, and why there is none."""
    if os.environ.get(SWITCH) == "off":
        return State.OFF, None
    if not os.path.exists(LIBRARY):
        return State.ABSENT, None
    import ctypes  # noqa: PLC0415 - large, and useless without the library

    try:
        library = ctypes.CDLL(LIBRARY, use_errno=True)
        if library.fairlead_version() == VERSION:
            return State.IN_USE, library
    except (OSError, AttributeError):  # of another machine, or no library of ours at all
        pass
    return State.UNFIT, None
