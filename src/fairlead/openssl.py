"""What OpenSSL does and Python's ssl has no name for: who may resume, tickets on request, other ciphers, longer lives.

ssl keeps OpenSSL's own object in the third word of its connection. That a connection is made so is proved before the
word is believed: the word behind it must be the address of the connection's context, which ssl tells. Where the proof
fails, or the functions are not to be found (another Python, OpenSSL before 3.0, or one that is built in without
names), nothing is done, and what calls this goes on with OpenSSL's own ways.
"""

from __future__ import annotations

import ssl
import sys
from functools import cache
from typing import Any, NamedTuple

FIELDS = 3
"""Words of a connection: what it belongs to, OpenSSL's object, the context."""


class _Functions(NamedTuple):
    new_session_ticket: Any
    set_num_tickets: Any
    set_session_id_context: Any
    context_of: Any
    set_ciphersuites: Any
    set_timeout: Any


@cache
def _functions() -> _Functions | None:
    """OpenSSL's functions, from the library that ssl itself has loaded."""
    import _ssl  # noqa: PLC0415 - what stands behind ssl, and may be built in
    import ctypes  # noqa: PLC0415 - large, and needed only where there is TLS

    try:
        library = ctypes.CDLL(getattr(_ssl, "__file__", None))
        found = _Functions(
            library.SSL_new_session_ticket,
            library.SSL_set_num_tickets,
            library.SSL_set_session_id_context,
            library.SSL_get_SSL_CTX,
            library.SSL_CTX_set_ciphersuites,
            library.SSL_CTX_set_timeout,
        )
    except (OSError, AttributeError):
        return None
    pointer = ctypes.c_void_p
    found.new_session_ticket.argtypes, found.new_session_ticket.restype = [pointer], ctypes.c_int
    found.set_num_tickets.argtypes, found.set_num_tickets.restype = [pointer, ctypes.c_size_t], ctypes.c_int
    found.set_session_id_context.argtypes = [pointer, ctypes.c_char_p, ctypes.c_uint]
    found.set_session_id_context.restype = ctypes.c_int
    found.context_of.argtypes, found.context_of.restype = [pointer], pointer
    found.set_ciphersuites.argtypes, found.set_ciphersuites.restype = [pointer, ctypes.c_char_p], ctypes.c_int
    found.set_timeout.argtypes, found.set_timeout.restype = [pointer, ctypes.c_long], ctypes.c_long
    return found


def _address(connection: ssl.SSLObject) -> int | None:
    """Where OpenSSL's object of ``connection`` is; None where that cannot be proved."""
    import ctypes  # noqa: PLC0415 - as above

    inner = getattr(connection, "_sslobj", None)
    size = object.__basicsize__ + FIELDS * ctypes.sizeof(ctypes.c_void_p)
    if sys.implementation.name != "cpython" or inner is None or type(inner).__basicsize__ < size:
        return None
    words = (ctypes.c_void_p * FIELDS).from_address(id(inner) + object.__basicsize__)
    return words[1] if words[2] == id(inner.context) else None


def tune(context: ssl.SSLContext, *, session_lifetime: int, ciphersuites: str) -> bool:
    """Let sessions of a server's ``context`` be resumed for so many seconds; set the ciphers of TLS 1.3, best first.

    OpenSSL's own are two hours, and AES with 256 bits before all others. Whether that could be done.
    """
    functions = _functions()
    address = _address(context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True))
    if functions is None or address is None:
        return False
    within = functions.context_of(address)
    functions.set_timeout(within, session_lifetime)
    return bool(functions.set_ciphersuites(within, ciphersuites.encode()) == 1)


def add_ticket(connection: ssl.SSLObject) -> bool:
    """Let a server of TLS 1.3 send another ticket with the next octets, after the handshake; whether it will."""
    functions, address = _functions(), _address(connection)
    return functions is not None and address is not None and functions.new_session_ticket(address) == 1


def bind(connection: ssl.SSLObject, circle: bytes, *, tickets: int) -> bool:
    """Let a server's ``connection`` resume, and be resumed by, those of the same ``circle`` only; whether it does.

    To be called before the handshake, after which it gives so many tickets under TLS 1.3. ``circle`` has 1 to 32
    octets. What the client comes with from another circle, ticket or session, counts as none (RFC 8446 section 4.2.11).
    """
    functions, address = _functions(), _address(connection)
    return (
        functions is not None
        and address is not None
        and functions.set_session_id_context(address, circle, len(circle)) == 1
        and functions.set_num_tickets(address, tickets) == 1
    )
