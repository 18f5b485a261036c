"""The clients under test: both faces, driven the same way."""

from tests.peers.faces import connect

__all__ = ["connect"]
