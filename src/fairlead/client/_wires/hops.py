"""Calls that go so many routers far: which of them a call still reaches tells where it is dropped (Linux)."""

from __future__ import annotations

import errno
import socket
import struct
import sys

from fairlead.client._wire import Address
from fairlead.client._wires.sockets import SocketSource, numeric

_IP_RECVERR, _IPV6_RECVERR = 11, 25
_ICMP, _ICMPV6 = 2, 3
"""Origins of an extended error (linux/errqueue.h)."""
_EXTENDED = struct.Struct("IBBBBII")
_ROOM = 512


class Within(SocketSource):
    """A call to ``address`` that may pass ``hops - 1`` routers; the next one reports that it expired there.

    Raises OSError when it fails at once, NotImplementedError where the system cannot tell who reported.
    """

    def __init__(self, address: Address, hops: int) -> None:
        if not sys.platform.startswith("linux"):
            raise NotImplementedError
        family, sockaddr = numeric(address)
        super().__init__(socket.socket(family, socket.SOCK_STREAM))
        self.hops = hops
        if family == socket.AF_INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hops)
            self._socket.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hops)
            self._socket.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        failure = self._socket.connect_ex(sockaddr)
        if failure not in {0, errno.EINPROGRESS}:
            self._socket.close()
            raise OSError(failure, "the call cannot be made")

    def router(self) -> str:
        """The router that reported, once the call is ready; empty where the call was answered."""
        try:
            _, ancillary, _, _ = self._socket.recvmsg(_ROOM, _ROOM, socket.MSG_ERRQUEUE)
        except OSError:
            return ""
        for _, _, data in ancillary:
            if len(data) > _EXTENDED.size + 2 and data[4] in {_ICMP, _ICMPV6}:
                return _offender(data[_EXTENDED.size :])
        return ""

    def answered(self) -> bool:
        """Whether the call, once ready, arrived and was answered, be it by a refusal."""
        failure = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return failure in {0, errno.ECONNREFUSED}


def _offender(sockaddr: bytes) -> str:
    family = int.from_bytes(sockaddr[:2], sys.byteorder)
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, sockaddr[4:8])
    return socket.inet_ntop(socket.AF_INET6, sockaddr[8:24]) if family == socket.AF_INET6 else ""
