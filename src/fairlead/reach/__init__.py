"""Why a data connection fails, and what to change."""

from __future__ import annotations

from fairlead.reach.cause import Cause

__all__ = ["Cause"]
