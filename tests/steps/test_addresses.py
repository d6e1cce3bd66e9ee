"""Addresses that steps may connect to: public ones, and the exceptions of the operator."""

import pytest

from app.steps.addresses import AddressGuard


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",  # noqa: S104 - nothing is bound here
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::10.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b:1::1",
        "2002:7f00:0001::",
        "2002:0a00:0001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%2",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "no address",
        "",
    ],
)
def test_an_address_that_is_not_public_is_not_admitted(address: str) -> None:
    assert not AddressGuard().admits("any.example", address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"]
)
def test_a_public_address_is_admitted(address: str) -> None:
    assert AddressGuard().admits("any.example", address)


@pytest.mark.parametrize(
    ("allowed", "host", "address", "admitted"),
    [
        ("10.0.0.0/8", "a.example", "10.1.2.3", True),
        ("10.0.0.0/8", "a.example", "::ffff:10.1.2.3", True),
        ("10.0.0.0/8", "a.example", "11.0.0.1", True),
        ("10.0.0.0/8", "a.example", "192.168.0.1", False),
        ("10.1.2.3", "a.example", "10.1.2.3", True),
        ("10.1.2.3", "a.example", "10.1.2.4", False),
        ("fd00::/8", "a.example", "fd00::1", True),
        ("0.0.0.0/0", "a.example", "127.0.0.1", True),
        ("0.0.0.0/0", "a.example", "::1", False),
        ("gis.internal", "GIS.internal.", "10.0.0.1", True),
        ("gis.internal", "gis.internal.evil.example", "10.0.0.1", False),
        ("gis.internal", "notgis.internal", "10.0.0.1", False),
    ],
)
def test_the_operator_makes_exceptions(allowed: str, host: str, address: str, admitted: bool) -> None:
    assert AddressGuard([allowed]).admits(host, address) is admitted
