from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ArgumentError, FamilyError
from fairlead.proto.address import (
    epsv_reply_text,
    families_text,
    format_eprt,
    format_port,
    long_families_text,
    lpsv_reply_text,
    parse_eprt,
    parse_epsv_argument,
    parse_epsv_reply,
    parse_families,
    parse_lprt,
    parse_pasv_reply,
    parse_port,
    pasv_reply_text,
)

PORTS = st.integers(1, 65535)
IPV4 = st.ip_addresses(v=4).map(str)
IPV6 = st.ip_addresses(v=6).map(str)


class TestPort:
    @pytest.mark.req("S-959-PORT-1")
    @pytest.mark.parametrize(
        ("argument", "expected"),
        [
            ("127,0,0,1,195,80", ("127.0.0.1", 50000)),
            ("192,168,150,80,14,178", ("192.168.150.80", 3762)),
            ("255,255,255,255,255,255", ("255.255.255.255", 65535)),
            ("0,0,0,0,0,1", ("0.0.0.0", 1)),
            ("127,000,000,001,004,003", ("127.0.0.1", 1027)),
            (" 127,0,0,1,4,3 ", ("127.0.0.1", 1027)),
        ],
    )
    def test_six_numbers_are_an_address_and_a_port(self, argument: str, expected: tuple[str, int]) -> None:
        assert parse_port(argument) == expected

    @pytest.mark.req("S-959-PORT-1")
    @pytest.mark.parametrize(
        "argument",
        [
            "",
            "127,0,0,1,4",
            "127,0,0,1,4,3,2",
            "256,0,0,1,4,3",
            "127,0,0,1,4,256",
            "127,0,0,1,0,0",
            "127,0,0,1,-4,3",
            "127,0,0,1,+4,3",
            "127,0,0,1,,3",
            "127.0.0.1,4,3",
            "127,0,0,1,4,0x3",
            "127,0,0,1,4,٣",
            "127, 0,0,1,4,3",
            "127,0,0,1,4,3\n",
            "0127,0,0,1,4,3",
            "9999999999999999999999,0,0,1,4,3",
        ],
    )
    def test_anything_else_is_malformed(self, argument: str) -> None:
        with pytest.raises(ArgumentError):
            parse_port(argument)

    @given(IPV4, PORTS)
    def test_what_a_client_formats_a_server_parses(self, host: str, port: int) -> None:
        assert parse_port(format_port(host, port)) == (host, port)


class TestPasvReply:
    @pytest.mark.req("S-959-PASV-1")
    def test_the_text_has_parentheses_and_commas(self) -> None:
        assert pasv_reply_text("127.0.0.1", 50000) == "Entering Passive Mode (127,0,0,1,195,80)."

    @pytest.mark.req("C-1123-PASV-1")
    @pytest.mark.parametrize(
        "text",
        [
            "Entering Passive Mode (127,0,0,1,195,80).",
            "Entering Passive Mode (127,0,0,1,195,80)",
            "Entering Passive Mode 127,0,0,1,195,80",
            "=127,0,0,1,195,80",
            "127,0,0,1,195,80",
            "Entering Passive Mode. A1=127,0,0,1,195,80",
            "Entering Passive Mode (127, 0, 0, 1, 195, 80)",
            "Entering Passive Mode (127 ,0 ,0 ,1 ,195 ,80)",
            "Mode 2 passive: 127,0,0,1,195,80 ok",
            "Entering Passive Mode (127,0,0,1,195,80,9)",
        ],
    )
    def test_the_numbers_are_found_whatever_stands_around_them(self, text: str) -> None:
        assert parse_pasv_reply(text) == ("127.0.0.1", 50000)

    @pytest.mark.req("C-959-PASV-3")
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "Entering Passive Mode",
            "(127,0,0,1,195)",
            "(256,0,0,1,195,80)",
            "(1127,0,0,1,195,80)",
            "(127,0,0,1,195,300)",
            "(127,0,0,1,0,0)",
            "(" + "9" * 5000 + ",0,0,1,195,80)",
        ],
    )
    def test_numbers_that_are_no_address_are_an_error(self, text: str) -> None:
        with pytest.raises(ArgumentError):
            parse_pasv_reply(text)

    @given(IPV4, PORTS)
    def test_what_a_server_formats_a_client_parses(self, host: str, port: int) -> None:
        assert parse_pasv_reply(pasv_reply_text(host, port)) == (host, port)


class TestEprt:
    @pytest.mark.req("S-2428-EPRT-1")
    @pytest.mark.parametrize(
        ("argument", "expected"),
        [
            ("|1|127.0.0.1|5000|", (1, "127.0.0.1", 5000)),
            ("!2!::1!5000!", (2, "::1", 5000)),
            ("|2|2001:0DB8:0::1|65535|", (2, "2001:db8::1", 65535)),
            ("|2|::ffff:192.0.2.1|1|", (2, "::ffff:c000:201", 1)),
            ("|01|127.0.0.1|05000|", (1, "127.0.0.1", 5000)),
        ],
    )
    def test_family_address_and_port_stand_between_delimiters(
        self, argument: str, expected: tuple[int, str, int]
    ) -> None:
        assert parse_eprt(argument) == expected

    @pytest.mark.req("S-2428-EPRT-1")
    @pytest.mark.parametrize("code", [code for code in range(33, 127) if chr(code) not in "0123456789."])
    def test_any_visible_character_delimits(self, code: int) -> None:
        d = chr(code)

        assert parse_eprt(f"{d}1{d}127.0.0.1{d}5000{d}") == (1, "127.0.0.1", 5000)

    @pytest.mark.req("S-2428-EPRT-1")
    def test_even_a_digit_delimits_where_no_field_holds_it(self) -> None:
        assert parse_eprt("91912.0.2.1950009") == (1, "12.0.2.1", 5000)

    @pytest.mark.req("S-2428-EPRT-2")
    @pytest.mark.parametrize("argument", ["|3|127.0.0.1|5000|", "|0|x|5000|", "|12|::1|5000|", "|99999999999|x|1|"])
    def test_another_family_is_not_supported_whatever_its_address(self, argument: str) -> None:
        with pytest.raises(FamilyError):
            parse_eprt(argument)

    @pytest.mark.req("S-2428-EPRT-3")
    @pytest.mark.parametrize(
        "argument",
        [
            "",
            "|",
            "|||||",
            "|1|127.0.0.1|5000",
            "|1|127.0.0.1|",
            "|1|127.0.0.1|5000|x",
            "|1|127.0.0.1|5000||",
            "1|127.0.0.1|5000|",
            " 1 127.0.0.1 5000 ",
            "\x7f1\x7f127.0.0.1\x7f5000\x7f",
            "é1é127.0.0.1é5000é",
            "||127.0.0.1|5000|",
            "|x|127.0.0.1|5000|",
            "|-1|127.0.0.1|5000|",
            "|1||5000|",
            "|1|::1|5000|",
            "|2|127.0.0.1|5000|",
            "|1|localhost|5000|",
            "|1|127.1|5000|",
            "|1|127.0.0.256|5000|",
            "|2|fe80::1%eth0|5000|",
            "|1|127.0.0.1||",
            "|1|127.0.0.1|0|",
            "|1|127.0.0.1|65536|",
            "|1|127.0.0.1|-1|",
            "|1|127.0.0.1|+1|",
            "|1|127.0.0.1| 1|",
            "|1|127.0.0.1|٣|",
            "|1|127.0.0.1|99999999999999999999|",
        ],
    )
    def test_anything_else_is_malformed(self, argument: str) -> None:
        with pytest.raises(ArgumentError):
            parse_eprt(argument)

    @pytest.mark.req("C-2428-EPRT-1")
    @given(st.one_of(IPV4, IPV6), PORTS)
    def test_what_a_client_formats_a_server_parses(self, host: str, port: int) -> None:
        expected = (1, str(IPv4Address(host))) if "." in host else (2, str(IPv6Address(host)))

        assert parse_eprt(format_eprt(host, port)) == (*expected, port)

    @pytest.mark.req("C-2428-EPRT-1")
    def test_a_scope_is_not_sent(self) -> None:
        assert format_eprt("fe80::1%eth0", 5000) == "|2|fe80::1|5000|"
        assert format_eprt("127.0.0.1", 5000) == "|1|127.0.0.1|5000|"

    def test_a_name_cannot_be_sent(self) -> None:
        with pytest.raises(ArgumentError):
            format_eprt("localhost", 5000)


class TestEpsv:
    @pytest.mark.parametrize(("argument", "expected"), [("", None), ("1", 1), ("2", 2), ("ALL", "ALL"), ("all", "ALL")])
    def test_it_asks_for_nothing_a_family_or_all(self, argument: str, expected: int | str | None) -> None:
        assert parse_epsv_argument(argument) == expected

    @pytest.mark.req("S-2428-EPSV-4")
    @pytest.mark.parametrize("argument", ["0", "3", "12", "99999999999"])
    def test_another_number_is_a_family_that_is_not_supported(self, argument: str) -> None:
        with pytest.raises(FamilyError):
            parse_epsv_argument(argument)

    @pytest.mark.req("S-2428-EPSV-4")
    @pytest.mark.parametrize("argument", ["x", "1 2", " 1", "ALLE", "-1", "١"])
    def test_anything_else_is_malformed(self, argument: str) -> None:
        with pytest.raises(ArgumentError):
            parse_epsv_argument(argument)


class TestEpsvReply:
    @pytest.mark.req("S-2428-EPSV-1")
    def test_the_text_has_the_port_alone(self) -> None:
        assert epsv_reply_text(6446) == "Entering Extended Passive Mode (|||6446|)"

    @pytest.mark.req("C-2428-EPSV-1")
    @pytest.mark.parametrize(
        "text",
        [
            "Entering Extended Passive Mode (|||6446|)",
            "Entering Extended Passive Mode (|||6446|).",
            "(!!!6446!)",
            "(|1|192.0.2.1|6446|)",
            "(|||06446|)",
            "ok (really) (|||6446|)",
            "Entering Extended Passive Mode |||6446|",
            "((((6446()",
            "(77764467)",
        ],
    )
    def test_the_port_is_found(self, text: str) -> None:
        assert parse_epsv_reply(text) == 6446

    @pytest.mark.req("C-2428-EPSV-1")
    @pytest.mark.parametrize("code", [code for code in range(33, 127) if chr(code) not in "0123456789"])
    def test_any_visible_character_delimits(self, code: int) -> None:
        d = chr(code)

        assert parse_epsv_reply(f"Entering Extended Passive Mode ({d}{d}{d}6446{d})") == 6446

    @pytest.mark.req("C-2428-EPSV-1")
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "Entering Extended Passive Mode",
            "(|||0|)",
            "(|||65536|)",
            "(||||)",
            "(||6446|)",
            "(|||6446!)",
            "(|||٦|)",
            "(" * 100_000,
            "(|" * 50_000,
            "|" * 100_000,
        ],
    )
    def test_anything_else_is_malformed(self, text: str) -> None:
        with pytest.raises(ArgumentError):
            parse_epsv_reply(text)

    @given(PORTS)
    def test_what_a_server_formats_a_client_parses(self, port: int) -> None:
        assert parse_epsv_reply(epsv_reply_text(port)) == port


class TestFamilies:
    @pytest.mark.req("S-2428-EPRT-2", "S-2428-EPRT-4")
    def test_the_list_stands_in_the_only_parentheses(self) -> None:
        assert families_text((1, 2)) == "Network protocol not supported, use (1,2)"
        assert families_text((2,)) == "Network protocol not supported, use (2)"

    @pytest.mark.req("C-2428-EPSV-3")
    @pytest.mark.parametrize(
        ("text", "families"),
        [
            ("Network protocol not supported, use (1,2)", (1, 2)),
            ("use (2)", (2,)),
            ("(sorry) use ( 1 )(1, 2)", (1, 2)),
            ("use 1,2", ()),
            ("use ()", ()),
            ("", ()),
        ],
    )
    def test_the_list_is_found_or_empty(self, text: str, families: tuple[int, ...]) -> None:
        assert parse_families(text) == families

    @given(st.lists(st.integers(1, 65535), min_size=1, max_size=4))
    def test_what_a_server_formats_a_client_parses(self, families: list[int]) -> None:
        assert parse_families(families_text(families)) == tuple(families)


class TestLprt:
    @pytest.mark.req("S-1639-LP-1")
    @pytest.mark.parametrize(
        ("argument", "expected"),
        [
            ("4,4,127,0,0,1,2,195,80", (1, "127.0.0.1", 50000)),
            ("6,16,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,2,4,3", (2, "::1", 1027)),
            ("6,16,32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,7,2,0,1", (2, "2001:db8::7", 1)),
            ("004,4,255,255,255,255,002,255,255", (1, "255.255.255.255", 65535)),
        ],
    )
    def test_octets_are_a_family_an_address_and_a_port(self, argument: str, expected: tuple[int, str, int]) -> None:
        assert parse_lprt(argument) == expected

    @pytest.mark.req("S-1639-LP-1")
    @pytest.mark.parametrize(
        "argument",
        [
            "",
            "4",
            "4,",
            ",4",
            "4,4",
            "4,4,127,0,0,1",
            "4,4,127,0,0,1,2",
            "4,4,127,0,0,1,2,4",
            "4,4,127,0,0,1,2,4,3,1",
            "4,4,127,0,0,1,3,0,4,3",
            "4,4,127,0,0,1,2,0,0",
            "4,5,127,0,0,1,0,2,4,3",
            "4,16,127,0,0,1,2,4,3",
            "6,4,127,0,0,1,2,4,3",
            "6,16,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,2,4,3",
            "4,4,256,0,0,1,2,4,3",
            "4,4,1000,0,0,1,2,4,3",
            "4,4,-1,0,0,1,2,4,3",
            "4 4 127 0 0 1 2 4 3",
            "4,4,127,0,0,1,2,4,x",
            "4,4,127,0,0,1,2,4,\u0663",
        ],
    )
    def test_anything_else_is_malformed(self, argument: str) -> None:
        with pytest.raises(ArgumentError):
            parse_lprt(argument)

    @pytest.mark.req("S-1639-LP-1")
    @pytest.mark.parametrize("argument", ["5,4,127,0,0,1,2,4,3", "0", "255,1,1"])
    def test_another_family(self, argument: str) -> None:
        with pytest.raises(FamilyError):
            parse_lprt(argument)


class TestLpsv:
    @pytest.mark.req("S-1639-LP-1")
    @given(st.one_of(IPV4, IPV6), PORTS)
    def test_what_228_says_is_what_lprt_takes(self, host: str, port: int) -> None:
        text = lpsv_reply_text(host, port)
        assert text.startswith("Entering Long Passive Mode (")
        assert parse_lprt(text.partition("(")[2].rstrip(")")) == (2 if ":" in host else 1, host, port)

    @pytest.mark.req("S-1639-LP-1")
    def test_a_scope_is_left_out(self) -> None:
        assert lpsv_reply_text("fe80::1%eth0", 258).endswith("(6,16,254,128,0,0,0,0,0,0,0,0,0,0,0,0,0,1,2,1,2)")

    @pytest.mark.req("S-1639-LP-1")
    def test_521_lists_the_families(self) -> None:
        assert long_families_text((1, 2)) == "Supported address families are (4, 6)"
        assert long_families_text((2,)) == "Supported address families are (6)"
