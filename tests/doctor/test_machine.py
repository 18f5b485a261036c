"""The machine, as its proc file system tells of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fairlead.doctor.machine import Machine, this_machine

TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
           |-- 192.0.2.2
              /32 host LOCAL
Local:
           |-- 10.0.0.5
              /32 host LOCAL
           |-- 192.0.2.2
              /32 host LOCAL
"""
INET6 = """\
00000000000000000000000000000001 01 80 10 80       lo
fe8000000000000000fc00fffe000001 04 40 20 80     eth0
"""
TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0848 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:0849 0100007F:1234 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
"""
TCP6 = """\
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000001000000:0015 00000000000000000000000000000000:0000 0A 00000000:00000000
"""


def made(root: Path, files: dict[str, str]) -> Machine:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return this_machine(root)


@pytest.mark.skipif(sys.byteorder != "little", reason="the addresses are as a little-endian machine writes them")
def test_addresses_ports_and_privileges_are_read(tmp_path: Path) -> None:
    machine = made(
        tmp_path,
        {
            "net/fib_trie": TRIE,
            "net/if_inet6": INET6,
            "net/tcp": TCP,
            "net/tcp6": TCP6,
            "sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
            "sys/net/ipv4/ip_local_reserved_ports": "2121,50000-50002\n",
            "sys/net/ipv4/ip_unprivileged_port_start": "80\n",
            "self/status": "Name:\tx\nCapEff:\t0000000000000400\n",
        },
    )
    assert machine.addresses == ("10.0.0.5", "127.0.0.1", "192.0.2.2", "::1", "fe80::fc:ff:fe00:1")
    assert machine.listening == {("127.0.0.1", 0x848), ("::1", 21)}
    assert machine.ephemeral == range(32768, 61000)
    assert machine.reserved == {2121, 50000, 50001, 50002}
    assert machine.unprivileged == 80
    assert machine.may_bind_all


def test_without_the_capability_low_ports_cannot_be_bound(tmp_path: Path) -> None:
    assert not made(tmp_path, {"self/status": "CapEff:\t0000000000000000\n"}).may_bind_all


def test_what_is_not_told_is_not_known(tmp_path: Path) -> None:
    machine = this_machine(tmp_path)
    assert machine == Machine(descriptors=machine.descriptors)


def test_this_machine_has_loopback() -> None:
    machine = this_machine()
    assert "127.0.0.1" in machine.addresses
    assert machine.ephemeral is not None
