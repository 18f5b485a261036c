"""How addresses, replies and counts are written in sentences."""

from __future__ import annotations

from fairlead.capture.packets import Address
from fairlead.proto.reply import Reply


def show(address: Address) -> str:
    """``192.0.2.1:21`` or ``[2001:db8::1]:21``."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def said(reply: Reply) -> str:
    """The reply's last line, for a sentence."""
    return f"{reply.code} {reply.lines[-1] if reply.lines else ''}".strip().rstrip(".")


def times(count: int) -> str:
    """``once``, ``twice``, ``3 times``."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
