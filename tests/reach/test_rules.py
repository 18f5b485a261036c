from __future__ import annotations

import pytest

from fairlead.errors import ArgumentError
from fairlead.reach.rules import TOOLS, Forward, Opening, Place, RuleSet, render

CONTROL = Opening(purpose="control connections", inbound=True, ports=range(21, 22))
PASSIVE = Opening(purpose="passive data connections", inbound=True, ports=range(50000, 50010))
ACTIVE = Opening(purpose="active data connections", inbound=False, ports=range(1024, 65536), source_ports=range(20, 21))
SERVER = RuleSet(place=Place.HOST, openings=(CONTROL, PASSIVE, ACTIVE))
ROUTER = RuleSet(
    place=Place.ROUTER,
    openings=(Opening(purpose="out", inbound=False, ports=range(21, 22), host="10.1.1.21", remote="203.0.113.0/24"),),
    forwards=(
        Forward(purpose="control connections", ports=range(21, 22), host="10.1.1.21", to=range(21, 22)),
        Forward(purpose="passive", ports=range(40000, 40002), host="10.1.1.21", to=range(50000, 50002)),
    ),
    helper_ports=(21,),
)
EMPTY = RuleSet(place=Place.HOST)


def lines(tool: str, rules: RuleSet) -> list[str]:
    """What is to be run, without remarks."""
    return [line for line in render(tool, rules).splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_says_every_port(tool: str) -> None:
    text = render(tool, SERVER)
    assert "21" in text
    assert "50000" in text
    assert "50009" in text


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_says_when_there_is_nothing_to_open(tool: str) -> None:
    assert render(tool, EMPTY).removeprefix("# ").startswith("Nothing has to be opened here.")


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("rules", [SERVER, ROUTER])
def test_texts_end_in_a_line_feed_and_hold_no_trailing_spaces(tool: str, rules: RuleSet) -> None:
    text = render(tool, rules)
    assert text.endswith("\n")
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("purpose", ['"; rm -rf /; "', "$(reboot)", "a\nnft flush ruleset", "'; reboot #"])
def test_what_a_stranger_calls_a_rule_gets_into_no_command(tool: str, purpose: str) -> None:
    rules = RuleSet(place=Place.HOST, openings=(Opening(purpose=purpose, inbound=True, ports=range(21, 22)),))
    plain = RuleSet(place=Place.HOST, openings=(Opening(purpose="a", inbound=True, ports=range(21, 22)),))
    text = render(tool, rules)
    assert len(text.splitlines()) == len(render(tool, plain).splitlines())
    assert not any(character in text for character in "$`\\") or tool in {"aws", "gcp", "azure", "windows"}
    assert "$(" not in text
    assert "; rm" not in text


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("address", ["10.0.0.1; reboot", "example.com", "300.1.1.1"])
def test_what_is_no_address_is_refused(tool: str, address: str) -> None:
    opening = Opening(purpose="a", inbound=True, ports=range(21, 22), remote=address)
    with pytest.raises(ArgumentError, match="is no address and no network"):
        render(tool, RuleSet(place=Place.HOST, openings=(opening,)))


@pytest.mark.parametrize("ports", [range(0), range(1), range(65535, 65537), range(20, 30, 2)])
def test_what_are_no_ports_is_refused(ports: range) -> None:
    with pytest.raises(ArgumentError, match="are no ports from 1 to 65535"):
        render("nftables", RuleSet(place=Place.HOST, openings=(Opening(purpose="a", inbound=True, ports=ports),)))


def test_addresses_of_both_families_in_one_rule_are_refused() -> None:
    opening = Opening(purpose="data", inbound=True, ports=range(21, 22), remote="10.0.0.1", host="2001:db8::1")
    with pytest.raises(ArgumentError, match="the rule for data mixes IPv4 and IPv6; make it two"):
        render("nftables", RuleSet(place=Place.ROUTER, openings=(opening,)))


def test_a_forward_leads_to_as_many_ports() -> None:
    forward = Forward(purpose="a", ports=range(40000, 40003), host="10.0.0.1", to=range(50000, 50002))
    with pytest.raises(ArgumentError, match=r"3 public ports cannot lead to 2 ports of 10\.0\.0\.1"):
        render("nftables", RuleSet(place=Place.ROUTER, forwards=(forward,)))


def test_an_unknown_tool_is_told_with_what_was_meant() -> None:
    with pytest.raises(ArgumentError, match=r"^nobody knows the firewall 'nftable'; did you mean nftables\?$"):
        render("nftable", EMPTY)
    with pytest.raises(ArgumentError, match="there are nftables, iptables, ufw"):
        render("x", EMPTY)


def test_nft_rules_go_before_those_of_the_chains_that_decide() -> None:
    assert lines("nftables", SERVER) == [
        "add table inet filter",
        "add chain inet filter input { type filter hook input priority filter; }",
        "add chain inet filter output { type filter hook output priority filter; }",
        'insert rule inet filter input ct state established accept comment "replies"',
        'insert rule inet filter output ct state established accept comment "replies"',
        'insert rule inet filter input tcp dport 21 ct state new accept comment "control connections"',
        'insert rule inet filter input tcp dport 50000-50009 ct state new accept comment "passive data connections"',
        (
            "insert rule inet filter output tcp sport 20 tcp dport 1024-65535 ct state new accept"
            ' comment "active data connections"'
        ),
    ]


def test_nft_maps_ports_that_differ_one_by_one() -> None:
    text = render("nftables", ROUTER)
    assert "dnat ip to 10.1.1.21 : tcp dport map { 40000 : 50000, 40001 : 50001 }" in text
    assert 'fib daddr type local tcp dport 21 dnat ip to 10.1.1.21 comment "control connections"' in text
    assert 'tcp dport { 21 } ct helper set "ftp"' in text
    assert "ip daddr 10.1.1.21 tcp dport 50000-50001 ct state new ct status dnat accept" in text
    assert "ip saddr 10.1.1.21 tcp dport 21" in text


def test_nft_says_the_family_where_no_address_does() -> None:
    six = Opening(purpose="a", inbound=True, ports=range(21, 22), family=6)
    assert "meta nfproto ipv6 tcp dport 21" in render("nftables", RuleSet(place=Place.HOST, openings=(six,)))


def test_iptables_serves_both_families_and_shifts_ports() -> None:
    text = render("iptables", ROUTER)
    assert "--to-destination 10.1.1.21:50000-50001/40000" in text
    assert "-A PREROUTING -p tcp --dport 21 -j CT --helper ftp" in text
    assert lines("iptables", SERVER)[4:6] == [
        (
            "iptables -I INPUT -p tcp --dport 21 -m conntrack --ctstate NEW -m comment"
            ' --comment "control connections" -j ACCEPT'
        ),
        (
            "ip6tables -I INPUT -p tcp --dport 21 -m conntrack --ctstate NEW -m comment"
            ' --comment "control connections" -j ACCEPT'
        ),
    ]


def test_ufw_forwards_by_its_file() -> None:
    assert lines("ufw", SERVER) == [
        "ufw allow in proto tcp from any to any port 21 comment 'control connections'",
        "ufw allow in proto tcp from any to any port 50000:50009 comment 'passive data connections'",
        "ufw allow out proto tcp from any port 20 to any port 1024:65535 comment 'active data connections'",
    ]
    text = render("ufw", ROUTER)
    assert "ufw route allow proto tcp from 10.1.1.21 to 203.0.113.0/24 port 21 comment 'FTP out'" in text
    assert "# In /etc/ufw/before.rules, before its line *filter; then: ufw reload\n#   *nat" in text


def test_firewalld_opens_zones_and_policies() -> None:
    assert lines("firewalld", SERVER) == [
        "firewall-cmd --permanent --zone=public --add-port=21/tcp",
        "firewall-cmd --permanent --zone=public --add-port=50000-50009/tcp",
        "firewall-cmd --reload",
    ]
    text = render("firewalld", ROUTER)
    assert "--zone=external --add-forward-port=port=21:proto=tcp:toport=21:toaddr=10.1.1.21" in text
    assert "--add-forward-port=port=40001:proto=tcp:toport=50001:toaddr=10.1.1.21" in text
    assert (
        '--policy=ftp-outward --add-rich-rule=\'rule family="ipv4" source address="10.1.1.21"'
        ' destination address="203.0.113.0/24" port port="21" protocol="tcp" accept\''
    ) in text


def test_pf_redirects_in_step() -> None:
    assert lines("pf", SERVER) == [
        "pass in proto tcp from any to any port 21",
        "pass in proto tcp from any to any port 50000:50009",
        "pass out proto tcp from any port 20 to any port 1024:65535",
    ]
    assert (
        "pass in on egress inet proto tcp from any to (egress) port 40000:40001 rdr-to 10.1.1.21 port 50000:*"
        in lines("pf", ROUTER)
    )


def test_windows_tells_local_from_remote_ports() -> None:
    assert lines("windows", SERVER)[2] == (
        'New-NetFirewallRule -DisplayName "FTP active data connections" -Action Allow -Protocol TCP'
        " -Direction Outbound -LocalPort 20 -RemotePort 1024-65535"
    )
    assert (
        'netsh advfirewall firewall add rule name="FTP control connections" action=allow protocol=TCP dir=in'
        " localport=21"
    ) in render("windows", SERVER)
    assert "-ExternalPort $_ -InternalIPAddress 10.1.1.21 -InternalPort ($_ + 10000) }" in render("windows", ROUTER)


def test_clouds_get_a_rule_for_each_family() -> None:
    assert len(lines("aws", SERVER)) == len(lines("gcp", SERVER)) == 6
    assert "FromPort=50000,ToPort=50009,Ipv6Ranges=[{CidrIpv6=::/0," in render("aws", SERVER)
    assert "--rules=tcp:50000-50009 --source-ranges=0.0.0.0/0" in render("gcp", SERVER)
    assert "--source-port-ranges 20" in render("azure", SERVER)
    names = [line.split(" --name ")[1].split(" ")[0] for line in lines("azure", SERVER)]
    assert len(set(names)) == len(names)


def test_a_routers_pages_are_told_in_words() -> None:
    assert render("router", ROUTER) == (
        "Port forwarding (also called virtual server, or NAT rule), all of it TCP:\n"
        "- external port 21 to 10.1.1.21, internal port the same (control connections)\n"
        "- external ports 40000-40001 to 10.1.1.21, internal ports 50000-50001, each by as much higher or lower"
        " (passive)\n"
        "Firewall (also called packet filter, access rule or, for IPv6, pinhole), all of it TCP:\n"
        "- let out: from 10.1.1.21, port 21 of 203.0.113.0/24, IPv4 (out)\n"
        "Helper (also called FTP ALG, or application layer gateway):\n"
        "- turn it on, for control connections to port 21; it works only where FTP goes in clear\n"
    )


def test_an_opening_is_told_once() -> None:
    doubled = RuleSet(place=Place.HOST, openings=(CONTROL, CONTROL, PASSIVE))
    assert render("ufw", doubled) == render("ufw", RuleSet(place=Place.HOST, openings=(CONTROL, PASSIVE)))
