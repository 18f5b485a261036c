from __future__ import annotations

import pytest

from fairlead.limits.networks import Networks


@pytest.mark.req("S-2577-ACL-1")
@pytest.mark.parametrize(
    ("allow", "deny", "address", "expected"),
    [
        ((), (), "192.0.2.1", True),
        (("192.0.2.0/24",), (), "192.0.2.1", True),
        (("192.0.2.0/24",), (), "198.51.100.1", False),
        (("192.0.2.0/24",), ("192.0.2.1",), "192.0.2.1", False),
        ((), ("192.0.2.0/24",), "192.0.2.1", False),
        ((), ("192.0.2.0/24",), "::ffff:192.0.2.1", False),
        ((), ("192.0.2.0/24",), "2001:db8::1", True),
        (("2001:db8::/32",), (), "2001:db8::1%eth0", True),
        (("2001:db8::/32",), (), "192.0.2.1", False),
    ],
)
def test_an_address_is_admitted_by_what_is_allowed_and_not_denied(
    allow: tuple[str, ...], deny: tuple[str, ...], address: str, expected: bool
) -> None:
    assert Networks(allow, deny).admits(address) is expected


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="example"):
        Networks(["example.com"])
