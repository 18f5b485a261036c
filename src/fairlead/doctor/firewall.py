"""The rules of the machine's own firewall, as it tells them. Nothing is changed."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from fairlead.doctor.ruleset import Ruleset

PLACES = ("/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft")
"""Where the program is; a search path could lead to another."""
PATIENCE = 10.0
"""Seconds that it has."""


def read_ruleset(places: Sequence[str] = PLACES) -> Ruleset | str:
    """The rules in force, or a sentence that says why they are not known."""
    for place in places:
        try:
            told = subprocess.run(  # noqa: S603 - a fixed program with fixed arguments
                [place, "-j", "list", "ruleset"], capture_output=True, timeout=PATIENCE, check=True
            )
            return Ruleset(told.stdout.decode("utf-8", "replace"))
        except FileNotFoundError:
            continue
        except subprocess.CalledProcessError as error:
            why = error.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
            return f"the rules of the firewall cannot be read ({why}); root may"
        except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
            return f"the rules of the firewall cannot be read ({error})"
    return "the rules of the firewall are not known: there is no nft"
