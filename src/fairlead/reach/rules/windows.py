"""Rules for the Windows firewall: commands for PowerShell, and for netsh."""

from __future__ import annotations

from collections.abc import Iterator

from fairlead.reach.rules.model import Forward, Opening, Place, RuleSet
from fairlead.reach.rules.terms import ANY, NOTHING, families, network, openings, pairs, ports, remark


def render(rules: RuleSet) -> str:
    """Commands for an administrator's PowerShell. Raises ArgumentError for ports and addresses that are none."""
    wanted = openings(rules)
    if not wanted and not rules.helper_ports:
        return f"{NOTHING}\n"
    lines: list[str] = []
    if rules.place is Place.HOST:
        lines += [_powershell(opening) for opening in wanted]
        if rules.helper_ports:
            lines += [
                "# The helper, which listens in on port 21 only:",
                "netsh advfirewall set global StatefulFTP enable",
            ]
        lines += ["# The same where there is no PowerShell:", *(f"#   {_netsh(opening)}" for opening in wanted)]
        return "\n".join(lines) + "\n"
    if not rules.forwards:
        return f"{NOTHING} The Windows firewall filters nothing that a Windows router passes on.\n"
    lines += ["# On a Windows router (Get-NetNat names its translation); its own firewall filters nothing that passes."]
    for forward in rules.forwards:
        lines += _mapping(forward)
    return "\n".join(lines) + "\n"


def _name(opening: Opening) -> str:
    return f"FTP {remark(opening.purpose)}"


def _sides(opening: Opening) -> tuple[str, str]:
    """Local and remote ports."""
    source = ports(opening.source_ports) if opening.source_ports is not None else "Any"
    called = ports(opening.ports)
    return (called, source) if opening.inbound else (source, called)


def _remote(opening: Opening) -> str:
    """The network at the other end; Windows writes any of one family as a network."""
    if opening.remote:
        return network(opening.remote)
    return ANY[families(opening)[0]] if len(families(opening)) == 1 else ""


def _powershell(opening: Opening) -> str:
    local, remote = _sides(opening)
    return " ".join(
        [
            f'New-NetFirewallRule -DisplayName "{_name(opening)}" -Action Allow -Protocol TCP',
            f"-Direction {'Inbound' if opening.inbound else 'Outbound'}",
            *([f"-LocalPort {local}"] if local != "Any" else []),
            *([f"-RemotePort {remote}"] if remote != "Any" else []),
            *([f"-LocalAddress {network(opening.host)}"] if opening.host else []),
            *([f"-RemoteAddress {_remote(opening)}"] if _remote(opening) else []),
        ]
    )


def _netsh(opening: Opening) -> str:
    local, remote = _sides(opening)
    return " ".join(
        [
            f'netsh advfirewall firewall add rule name="{_name(opening)}" action=allow protocol=TCP',
            f"dir={'in' if opening.inbound else 'out'}",
            *([f"localport={local}"] if local != "Any" else []),
            *([f"remoteport={remote}"] if remote != "Any" else []),
            *([f"localip={network(opening.host)}"] if opening.host else []),
            *([f"remoteip={_remote(opening)}"] if _remote(opening) else []),
        ]
    )


def _mapping(forward: Forward) -> Iterator[str]:
    """A mapping takes one port; a pipeline makes those of a range."""
    pairs(forward)
    first, last, offset = forward.ports.start, forward.ports.stop - 1, forward.to.start - forward.ports.start
    inside = "$_" if not offset else f"($_ {'+' if offset > 0 else '-'} {abs(offset)})"
    yield f"# {remark(forward.purpose)}"
    yield (
        f"{first}..{last} | ForEach-Object {{ Add-NetNatStaticMapping -NatName (Get-NetNat)[0].Name -Protocol TCP"
        f" -ExternalIPAddress {'0.0.0.0' if families(forward)[0] == 4 else '::'} -ExternalPort $_"
        f" -InternalIPAddress {network(forward.host)} -InternalPort {inside} }}"
    )
