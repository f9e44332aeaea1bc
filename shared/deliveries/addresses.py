"""SSRF guard: a call goes to the very address that was looked up and judged, and to none of the inside.

Who registers an endpoint names a host, and whoever runs its DNS says where that is, at every look-up anew. So a host is
looked up once an attempt, the address is judged, and the connection is made to that address: between the judgement and
the connection nobody is asked again (DNS rebinding).
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

UNICAST = ipaddress.IPv6Network("2000::/3")
"""What of IPv6 is handed out at all."""
TUNNELS = (ipaddress.IPv6Network("2001::/32"), ipaddress.IPv6Network("2002::/16"))
"""Teredo and 6to4: addresses of IPv4 in disguise. (NAT64 lies outside of what is handed out.)"""
MOST = 4
"""So many addresses of a host are tried."""


class NotFound(Exception):
    """A host has no address, or nobody tells it."""


class NotAllowed(Exception):
    """All that a host leads to lies inside."""


def is_outside(address: IPAddress) -> bool:
    """Whether an address is one of the Internet: nothing private, local, of a link (as metadata of clouds is), shared
    by carriers, reserved or of a group, in whatever form."""
    # `is_global` alone does not tell: of Python 3.11 it holds for 64:ff9b::7f00:1, 2002:7f00:1::, fec0::1, ::127.0.0.1
    # and 224.0.0.1 as well.
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_outside(address.ipv4_mapped)
        if address not in UNICAST or any(address in tunnel for tunnel in TUNNELS):
            return False
    return address.is_global and not address.is_multicast


def is_allowed(address: IPAddress, networks: Sequence[IPNetwork]) -> bool:
    """Whether a call may go there: outside, or in one of the networks that the deployment allows."""
    plain = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return is_outside(address) or any((plain or address) in network for network in networks)


def networks_of(setting: str) -> tuple[IPNetwork, ...]:
    """The networks of a setting: with commas, none where it is empty."""
    return tuple(ipaddress.ip_network(each.strip()) for each in setting.split(",") if each.strip())


class Resolver:
    """Looks hosts up in threads of its own: a name server that does not answer holds up nothing else of the process."""

    def __init__(self, networks: Sequence[IPNetwork], *, threads: int = 16) -> None:
        self._networks = networks
        self._threads = ThreadPoolExecutor(threads, "deliveries-dns")

    async def addresses(self, host: str, port: int) -> list[IPAddress]:
        """Where a call to a host may go, at most four, in the order of the system. Raises NotFound, NotAllowed."""
        try:
            found = await asyncio.get_running_loop().run_in_executor(
                self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            )
        except (OSError, UnicodeError):
            raise NotFound from None
        # A scope (`fe80::1%eth0`) is of a link, and no address of the Internet has one.
        every = [ipaddress.ip_address(str(place[4][0]).partition("%")[0]) for place in found]
        allowed = [address for address in dict.fromkeys(every) if is_allowed(address, self._networks)]
        if not allowed:
            raise NotAllowed
        return allowed[:MOST]
