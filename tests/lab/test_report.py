"""The matrix and the table of clients, as people read them; made-up rows need no laboratory."""

from __future__ import annotations

from fairlead.reach.cause import Cause
from lab import clients, report
from lab.diagnosis import Advice, Diagnosis, Listed, own_advice, server_advice
from lab.expected import acceptable, expected, seen_from_outside, works
from lab.matrix import Row, Task, misdiagnoses, tasks
from lab.servers import Protection
from lab.topologies import TOPOLOGIES, topology

ADVICE = (
    Advice("you", "Use EPRT.", {"fairlead": "--mode eprt  # active"}),
    Advice("server's network", "Let in ports.", {"nftables": "add rule …"}),
    Advice("server", "Take passive ports.", {"fairlead": "--passive-ports 50000-50099", "vsftpd": "a=1\nb=2"}),
)


def _row(name: str, protection: Protection = Protection.CLEAR) -> Row:
    """A row in which everything is as it should be."""
    row = Row(Task(topology(name), "fairlead", protection))
    row.diagnosis = Diagnosis({cell: expected(row.task.topology, cell) for cell in row.cells}, ADVICE, seconds=5.25)
    row.forced = {cell: Listed(bool(works(row.task.topology, cell)), 0.1) for cell in row.cells}
    row.auto = Listed(any(works(row.task.topology, cell) for cell in row.cells), 0.3)
    row.own = [Listed(True, 0.5)]
    row.mended = dict.fromkeys(row.cells[:2], True)
    return row


def test_a_row_names_what_works_and_the_causes_of_the_rest() -> None:
    text = report.line(_row("server-firewall"))
    assert "EPSV passive-dropped  PASV passive-dropped  EPRT ✓  PORT ✓  IPv6: EPSV passive-dropped" in text
    assert text.endswith("doctor 5.2 s  alone 0.3 s  you ✓  all 2/2")


def test_a_mode_that_serves_in_spite_of_its_cause_shows_both() -> None:
    assert "PASV ✓ passive-private-address" in report.line(_row("server-nat-range"))


def test_with_tls_offered_both_protections_stand_in_a_row() -> None:
    row = _row("server-firewall-helper", Protection.OFFERED)
    assert "EPSV ✓, under TLS passive-dropped" in report.line(row)


def test_a_wrong_cause_is_told_and_counted() -> None:
    row = _row("server-firewall")
    cell = row.cells[0]
    row.diagnosis.causes[cell] = Cause.PASSIVE_REJECTED
    assert list(misdiagnoses(row)) == [
        f"server-firewall, fairlead, TLS clear: {cell} is passive-dropped, the doctor says passive-rejected"
    ]
    assert "doctor 5.2 s ✗" in report.line(row)
    assert (report.figures([row]).right, report.figures([row]).cells) == (7, 8)


def test_the_page_has_a_line_for_each_row_and_the_figures() -> None:
    page = report.page([_row("open"), _row("both-closed")])
    assert "* verdicts right: 16 of 16" in page
    assert "* listing arrives when our client chooses the mode: 1 of 1" in page
    assert "| `both-closed` | fairlead | clear | passive-dropped | passive-dropped | active-dropped |" in page


def test_a_server_that_is_not_there_is_skipped_in_words() -> None:
    row = _row("open")
    row.skipped = "needs the Debian package vsftpd"
    assert report.line(row).endswith("skipped: needs the Debian package vsftpd")
    assert "needs the Debian package vsftpd" in report.page([row])
    assert report.figures([row]).cells == 0


def test_every_topology_has_rows_for_fairlead_with_and_without_tls_and_one_for_each_other_server() -> None:
    rows = list(tasks())
    assert len(rows) == 4 * len(TOPOLOGIES) + 2
    for name in ("vsftpd", "proftpd"):
        others = [row for row in rows if row.server == name]
        assert len(others) == len(TOPOLOGIES)
        assert {row.protection for row in others} == {Protection.CLEAR, Protection.REQUIRED}


def test_advice_is_taken_apart_by_whom_it_is_for() -> None:
    diagnosis = Diagnosis(advice=ADVICE)
    assert own_advice(diagnosis) == [["--mode", "eprt"]]
    assert server_advice(diagnosis, "fairlead") == ["--passive-ports", "50000-50099"]
    assert server_advice(diagnosis, "vsftpd") == ["a=1", "b=2"]


def test_a_helper_is_blamed_only_where_clear_and_tls_can_be_compared() -> None:
    where = TOPOLOGIES["server-firewall-helper"]
    cell = _row("server-firewall-helper", Protection.REQUIRED).cells[0]
    assert acceptable(where, cell) == {Cause.PASSIVE_DROPPED}
    assert acceptable(where, cell, offered=True) == {Cause.HELPER_BLIND}


def test_other_servers_do_not_tell_that_a_port_was_rewritten() -> None:
    cell = _row("rewriter").cells[0]
    assert acceptable(TOPOLOGIES["rewriter"], cell) == {Cause.PASSIVE_REWRITTEN}
    assert Cause.PASSIVE_REJECTED in acceptable(TOPOLOGIES["rewriter"], cell, server="vsftpd")


def test_what_a_router_maps_cannot_be_seen_from_outside() -> None:
    cell = _row("server-nat-remap").cells[0]
    assert not seen_from_outside(TOPOLOGIES["server-nat-remap"], cell)
    assert seen_from_outside(TOPOLOGIES["server-nat-control"], cell)


def test_the_table_of_clients_tells_who_got_a_listing_and_when() -> None:
    row = clients.Met(_row("server-firewall").task)
    row.listed = dict.fromkeys(clients.CLIENTS, Listed(False, clients.LIMIT)) | {"fairlead": Listed(True, 0.94)}
    row.listed["ftplib"] = Listed(False, 1.2)
    page = clients.page([row])
    assert "* fairlead: 1 of 1 listings that some mode could have brought, the slowest after 0.9 s" in page
    assert "| `server-firewall` | fairlead | clear | 0.9 s | ✗ > 75 s | ✗ > 75 s | ✗ 1 s | ✗ > 75 s |" in page


def test_no_listing_is_expected_where_no_mode_works() -> None:
    row = clients.Met(_row("both-closed").task)
    row.listed = dict.fromkeys(clients.CLIENTS, Listed(False, 7.0))
    assert not row.possible
    assert "* curl: 0 of 0 listings" in clients.page([row])


def test_cells_are_named_in_words() -> None:
    row = _row("ipv6-only", Protection.REQUIRED)
    assert str(row.cells[0]) == "EPSV over IPv6 under TLS"
    assert {cell.family for cell in row.cells} == {6}
