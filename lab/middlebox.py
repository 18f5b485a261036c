"""Middleboxes that change packets on their way: a program that reads them from a TUN device and writes them back.

``middlebox.py rewriter`` changes a digit of the port in the replies 227 and 229, so that it is far from any that the
server listens on, as a careless application gateway does; all lengths stay. ``middlebox.py nat64 CLIENT POOL``
translates between IPv6 and IPv4 (RFC 7915): the client's address becomes POOL, an address of 64:ff9b::/96 becomes its
last four octets. Needs the standard library only.
"""

from __future__ import annotations

import fcntl
import os
import re
import socket
import struct
import sys
from collections.abc import Callable

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_IFF_UP_RUNNING = 0x41
_PREFIX = socket.inet_pton(socket.AF_INET6, "64:ff9b::")[:12]
_PORT = re.compile(rb"(?:\A|\r\n)(?:227 [^\r\n]*?(?:\d+,){4}\d*(\d),\d+|229 [^\r\n]*\|\|\|(\d)\d+\|)")
_TCP = socket.IPPROTO_TCP


def checksum(octets: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(octets) % 2:
        octets += b"\0"
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _with_checksum(source: bytes, target: bytes, segment: bytes) -> bytes:
    """A TCP segment with its checksum for these addresses (RFC 9293 section 3.1, RFC 8200 section 8.1)."""
    blank = segment[:16] + b"\0\0" + segment[18:]
    pseudo = source + target + struct.pack("!IHBB", len(segment), 0, 0, _TCP)
    return blank[:16] + struct.pack("!H", checksum(pseudo + blank)) + blank[18:]


def _parts(packet: bytes) -> tuple[bytes, bytes, bytes, bytes] | None:
    """The header, both addresses and the TCP segment; None for what is no TCP, or a fragment."""
    if packet[0] >> 4 == 4:
        size = (packet[0] & 15) * 4
        if packet[9] != _TCP or struct.unpack_from("!H", packet, 6)[0] & 0x3FFF:
            return None
        end = struct.unpack_from("!H", packet, 2)[0]
        return packet[:size], packet[12:16], packet[16:20], packet[size:end]
    if packet[6] != _TCP:
        return None
    return packet[:40], packet[8:24], packet[24:40], packet[40:]


def rewritten(packet: bytes) -> bytes:
    """The packet with another port in a reply 227 or 229 that it carries."""
    parts = _parts(packet)
    if parts is None:
        return packet
    header, source, target, segment = parts
    begin = (segment[12] >> 4) * 4
    found = _PORT.search(segment[begin:])
    if found is None:
        return packet
    at = begin + found.start(found.lastindex or 1)
    changed = segment[:at] + b"%d" % ((segment[at] - ord("0") - 2) % 10) + segment[at + 1 :]
    return header + _with_checksum(source, target, changed)


def translator(client: str, pool: str) -> Callable[[bytes], bytes]:
    """What turns packets of the client into IPv4 and packets for ``pool`` into IPv6; other ones vanish."""
    own6, own4 = socket.inet_pton(socket.AF_INET6, client), socket.inet_aton(pool)

    def translate(packet: bytes) -> bytes:
        parts = _parts(packet)
        if parts is None:
            return b""
        header, source, target, segment = parts
        if header[0] >> 4 == 6:
            if source != own6 or not target.startswith(_PREFIX) or header[7] <= 1:
                return b""
            length = 20 + len(segment)
            first = struct.pack("!BBHHHBBH", 0x45, 0, length, 0, 0x4000, header[7] - 1, _TCP, 0) + own4 + target[12:]
            first = first[:10] + struct.pack("!H", checksum(first)) + first[12:]
            return first + _with_checksum(own4, target[12:], segment)
        if target != own4 or header[8] <= 1:
            return b""
        first = struct.pack("!IHBB", 6 << 28, len(segment), _TCP, header[8] - 1) + _PREFIX + source + own6
        return first + _with_checksum(_PREFIX + source, own6, segment)

    return translate


def _open(name: str) -> int:
    """A TUN device of that name, up."""
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH", name.encode(), _IFF_TUN | _IFF_NO_PI))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH", name.encode(), _IFF_UP_RUNNING))  # SIOCSIFFLAGS
    return device


def main() -> None:
    """Pass packets on until killed."""
    kind = sys.argv[1]
    change = rewritten if kind == "rewriter" else translator(*sys.argv[2:4])
    device = _open(kind)
    print("ready", flush=True)
    while True:
        packet = change(os.read(device, 65536))
        if packet:
            os.write(device, packet)


if __name__ == "__main__":
    main()
