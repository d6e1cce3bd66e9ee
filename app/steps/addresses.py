"""Which addresses a step may connect to. Pure.

The author of a diagram is not the operator of the server: a web request must not reach what only the server can reach,
its own loopback services, its network, or a cloud's metadata at 169.254.169.254.
"""

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Addresses by which a network without IPv4 reaches IPv4: the last 32 bits are the real address (RFC 6052)."""


class AddressGuard:
    """Tells public addresses from others, and knows the exceptions that the operator made.

    Args:
        allowed: networks (``10.0.0.0/8``), addresses, and names of hosts that may have any address
            (``STEPGATE_ALLOW_PRIVATE_ADDRESSES``).
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._networks: list[Network] = []
        self._hosts: set[str] = set()
        for word in allowed:
            try:
                self._networks.append(ipaddress.ip_network(word, strict=False))
            except ValueError:
                self._hosts.add(_folded(word))

    def admits(self, host: str, address: str) -> bool:
        """Tell whether a connection to ``address`` may be made, to which ``host`` was resolved.

        Args:
            address: as ``getaddrinfo`` gives it; a text that is no address is not admitted.
        """
        if _folded(host) in self._hosts:
            return True
        try:
            given = ipaddress.ip_address(address)
        except ValueError:
            return False
        meant = _wrapped(given) or given
        return _is_public(meant) or any(meant in network for network in self._networks)


def _folded(host: str) -> str:
    """One form for a name: letter case and the dot of the root make no other host."""
    return host.lower().rstrip(".")


def _wrapped(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address to which packets for this IPv6 address go in the end; None when they go to itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None


def _is_public(address: Address) -> bool:
    """Global for the registries, and none of what they count as global although nobody can be reached there."""
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
