"""The one account of every server."""

from __future__ import annotations

NAME = "bench"
PASSWORD = "bench"
UID = 61999
GID = 61999
HASH = "flIOLU7mVETiU"
"""Traditional DES crypt, the cheapest hash that all the C servers verify: login rows measure servers, not hashes.

The Python servers and Fairlead are given the password in clear for the run, which costs no more.
"""
