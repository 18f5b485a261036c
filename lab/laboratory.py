"""A topology built: machines, links, addresses, routes, rules; programs run inside; all taken down again."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self, TypeVar

from pyroute2 import IPRoute

from lab import namespaces
from lab.addresses import NAT64_POOL, NAT64_PREFIX, SERVER_NAME, Host, Port
from lab.topologies import Topology

T = TypeVar("T")

_MIDDLEBOX = Path(__file__).with_name("middlebox.py")
_TABLE = 77
"""The routing table that leads replies of servers through the rewriting middlebox."""
_DEADLINE = 10.0

# In a mount namespace of its own, so that the machine's own names stay what they are.
_ENTER = """
mount --bind "$0/hosts" /etc/hosts &&
mount --bind "$0/nsswitch.conf" /etc/nsswitch.conf &&
mount --bind "$0/resolv.conf" /etc/resolv.conf &&
exec "$@"
"""


class Lab:
    """A topology that stands as long as the ``with`` block, or until :meth:`close`.

    With a ``family`` the server's name has addresses of that family only.

    Raises RuntimeError where the machine allows none (the text is one line); subprocess.CalledProcessError when nft
    refuses the rules.
    """

    def __init__(self, topology: Topology, *, family: Literal[4, 6] | None = None) -> None:
        reason = namespaces.unavailable()
        if reason:
            raise RuntimeError(reason)
        self.topology = topology
        self.plan = topology.plan
        self.prefix = namespaces.fresh_prefix()
        self.scratch = namespaces.scratch_root() / self.prefix
        self._family = family
        self._ended: list[subprocess.Popen[bytes]] = []
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every program inside and remove all that was made."""
        namespaces.remove(self.namespace(host) for host in Host)
        for process in self._ended:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_DEADLINE)
            if process.stdout is not None:
                process.stdout.close()
        self._ended.clear()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def namespace(self, host: Host) -> str:
        """The name of the namespace that is ``host``, for ``ip netns exec``."""
        return f"{self.prefix}-{host}"

    # Programs

    def command(self, host: Host, words: Sequence[str | Path]) -> list[str]:
        """The command line that runs ``words`` at ``host``, where names of the topology resolve."""
        return [
            "nsenter",
            f"--net={namespaces.FOLDER / self.namespace(host)}",
            "unshare",
            "--mount",
            "sh",
            "-c",
            _ENTER,
            str(self.scratch),
            *map(str, words),
        ]

    def start(
        self,
        host: Host,
        words: Sequence[str | Path],
        *,
        output: IO[bytes] | int | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a program at ``host``, in a session of its own; it ends with the laboratory at the latest.

        ``output`` takes what it writes, its complaints as well, unless that is a pipe.
        """
        process = subprocess.Popen(
            self.command(host, words),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output == subprocess.PIPE else output,
            env=None if env is None else dict(env),
            cwd=cwd,
            start_new_session=True,
        )
        self._ended.append(process)
        return process

    def run(
        self,
        host: Host,
        words: Sequence[str | Path],
        *,
        timeout: float | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program at ``host`` to its end, and return what it said.

        Raises subprocess.TimeoutExpired after ``timeout`` seconds; the program is ended then.
        """
        return subprocess.run(
            self.command(host, words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=None if env is None else dict(env),
            check=False,
        )

    def inside(self, host: Host, act: Callable[[], T]) -> T:
        """Call ``act`` in a thread whose sockets are those of ``host``; names do not resolve there."""
        return namespaces.inside(self.namespace(host), act)

    def nft(self, host: Host, text: str) -> None:
        """Add nft rules at ``host``; raises subprocess.CalledProcessError with what nft says in ``stderr``."""
        subprocess.run(
            ["nsenter", f"--net={namespaces.FOLDER / self.namespace(host)}", namespaces.nft_program(), "-f", "-"],
            input=text,
            text=True,
            capture_output=True,
            check=True,
        )

    # Building

    def _build(self) -> None:
        namespaces.sweep()
        self.scratch.mkdir(mode=0o755)
        names = [name for name in self.plan.names if self._family in {None, 6 if ":" in name else 4}]
        own = "127.0.0.1 localhost\n::1 localhost\n"
        (self.scratch / "hosts").write_text(own + "".join(f"{name} {SERVER_NAME}\n" for name in names))
        (self.scratch / "nsswitch.conf").write_text("passwd: files\ngroup: files\nshadow: files\nhosts: files\n")
        (self.scratch / "resolv.conf").write_text("")
        for host in Host:
            namespaces.create(self.namespace(host))
        self._link()
        for host in Host:
            self.inside(host, lambda host=host: self._configure(host))  # type: ignore[misc]
        for host in Host:
            if text := self.topology.rules(host):
                self.nft(host, text)
            # Those of connection tracking exist once a rule needs it.
            namespaces.write_sysctls(self.namespace(host), self.topology.sysctls(host))
        for part in self.topology.parts:
            if part.middlebox:
                self._middlebox(part.host, part.middlebox)

    def _link(self) -> None:
        files = {host: os.open(namespaces.FOLDER / self.namespace(host), os.O_RDONLY) for host in Host}
        try:
            with IPRoute() as route:
                for near, far in self.plan.links:
                    route.link(
                        "add",
                        ifname=near.interface,
                        kind="veth",
                        net_ns_fd=files[near.host],
                        peer={"ifname": far.interface, "net_ns_fd": files[far.host]},
                    )
        finally:
            for descriptor in files.values():
                os.close(descriptor)

    def _configure(self, host: Host) -> None:
        """Addresses and routes; runs inside ``host``."""
        for key in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            Path("/proc/sys/net", key).write_text(str(int(host not in {Host.CLIENT, Host.SERVER})))
        Path("/proc/sys/net/ipv4/conf/all/rp_filter").write_text("0")
        with IPRoute() as route:
            route.link("set", index=_index(route, "lo"), state="up")
            for port in _ports_of(self, host):
                index = _index(route, port.interface)
                route.link("set", index=index, state="up")
                for address in (port.v4, port.v6):
                    if address is not None:
                        route.addr("add", index=index, address=str(address.ip), prefixlen=address.network.prefixlen)
            for network, hop in self.plan.routes(host):
                if hop is None:
                    route.route("add", dst=network, type="blackhole")
                else:
                    route.route("add", dst=network, gateway=hop)

    def _middlebox(self, host: Host, kind: str) -> None:
        process = self.start(
            host,
            [sys.executable, "-I", _MIDDLEBOX, kind, *(self.plan.address(Host.CLIENT, "net", 6), NAT64_POOL)],
            output=subprocess.PIPE,
        )
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            message = f"the middlebox {kind} did not start"
            raise RuntimeError(message)

        def lead() -> None:
            with IPRoute() as route:
                index = _index(route, kind)
                if kind == "nat64":
                    route.route("add", dst=NAT64_PREFIX, oif=index)
                    route.route("add", dst=f"{NAT64_POOL}/32", oif=index)
                    return
                for family in (socket.AF_INET, socket.AF_INET6):
                    route.route("add", family=family, dst="default", oif=index, table=_TABLE)
                    route.rule(
                        "add",
                        family=family,
                        table=_TABLE,
                        iifname="office",
                        ip_proto=socket.IPPROTO_TCP,
                        sport_range="21:21",
                    )

        self.inside(host, lead)


def _index(route: IPRoute, name: str) -> int:
    deadline = time.monotonic() + _DEADLINE
    while not (found := route.link_lookup(ifname=name)):
        if time.monotonic() > deadline:
            message = f"the interface {name} did not appear"
            raise RuntimeError(message)
    index: int = found[0]
    return index


def _ports_of(lab: Lab, host: Host) -> list[Port]:
    return [port for link in lab.plan.links for port in link if port.host is host]
