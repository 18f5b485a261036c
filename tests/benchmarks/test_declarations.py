from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import UnknownNameError, chosen
from benchmarks.places import REPOSITORY
from benchmarks.rows import rows
from benchmarks.runner import order
from benchmarks.servers import SERVERS
from benchmarks.servers.declared import Family, Protection, Server, fill


def test_names_are_unique() -> None:
    for names in ([row.name for row in rows()], [server.name for server in SERVERS]):
        assert len(names) == len(set(names))


def test_a_quick_run_has_the_same_rows() -> None:
    assert [row.name for row in rows(quick=True)] == [row.name for row in rows()]


def test_servers_speak_of_rows_that_exist() -> None:
    known = {row.name for row in rows()}
    for server in SERVERS:
        assert server.only <= known
        assert server.without.keys() <= known


def test_published_configurations_name_no_path_of_the_machine() -> None:
    for server in SERVERS:
        assert str(REPOSITORY) not in server.published()
        assert "/dev/shm" not in server.published()


def test_templates_replace_what_they_know_and_keep_other_braces() -> None:
    assert fill("{port} {other} { }", {"port": "21"}) == "21 {other} { }"


def test_a_server_is_rendered_into_its_own_folder(tmp_path: Path) -> None:
    server = Server(
        name="x", title="X", family=Family.C, command=("sh", "{scratch}/a/b", "{port}"), files={"a/b": "root={root}\n"}
    )
    assert server.missing() == ""
    assert server.render(root=Path("/srv"), scratch=tmp_path, port=21) == ["sh", f"{tmp_path}/a/b", "21"]
    assert (tmp_path / "a/b").read_text() == "root=/srv\n"


def test_a_server_whose_program_is_absent_says_so() -> None:
    server = Server(name="x", title="X", family=Family.C, command=(), needs=("no-such-program",))
    assert server.missing() == "not found: no-such-program"


def test_a_row_that_a_server_refuses_has_a_reason() -> None:
    by_name = {server.name: server for server in SERVERS}
    assert by_name["vsftpd"].refuses("mlsd-10k") == "vsftpd has no MLSD"
    assert by_name["fairlead-relaxed"].refuses("noop")
    assert by_name["fairlead"].refuses("noop") == ""


def test_rows_under_tls_are_for_servers_that_speak_it() -> None:
    by_name = {server.name: server for server in SERVERS}
    assert by_name["limit"].refuses("tls-retr", tls=True) == "speaks no TLS here"
    assert by_name["fairlead"].refuses("tls-retr", tls=True) == ""
    assert by_name["fairlead-relaxed"].refuses("tls-retr", tls=True)


def test_under_tls_a_server_is_given_more(tmp_path: Path) -> None:
    tls = Protection(("--certificate", "{certificate}"), {"a": "key={certificate}\n"})
    server = Server(name="x", title="X", family=Family.C, command=("sh",), files={"a": "1\n", "b": "2\n"}, tls=tls)
    command = server.protected().render(root=Path("/srv"), scratch=tmp_path, port=21)
    assert command == ["sh", "--certificate", f"{tmp_path}/self-signed.pem"]
    assert (tmp_path / "a").read_text() == f"1\nkey={tmp_path}/self-signed.pem\n"
    assert (tmp_path / "b").read_text() == "2\n"
    assert server.render(root=Path("/srv"), scratch=tmp_path, port=21) == ["sh"]
    assert "# for the rows under TLS\n--certificate {certificate}\n# a\nkey=" in server.published()


def test_names_and_beginnings_of_names_choose() -> None:
    everything = rows()
    assert [row.name for row in chosen(everything, "noop,retr")] == ["retr", "noop"]
    assert [row.name for row in chosen(everything, "mlsd*")] == ["mlsd-10k", "mlsd-100k"]


def test_without_names_all_but_the_optional_are_chosen() -> None:
    everything = rows()
    assert chosen(everything, "") == [row for row in everything if not row.optional]
    assert [row.name for row in chosen(everything, "idle-10000")] == ["idle-10000"]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="'nope' is none of"):
        chosen(rows(), "noop,nope")


def test_every_server_is_in_every_round_and_the_order_changes() -> None:
    orders = [order(SERVERS, number) for number in range(6)]
    for one in orders:
        assert sorted(server.name for server in one) == sorted(server.name for server in SERVERS)
    assert orders[1] == orders[0][::-1]
    assert len({tuple(server.name for server in one) for one in orders}) == 6
    assert order([], 3) == []
