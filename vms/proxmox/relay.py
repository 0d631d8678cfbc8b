"""The websocket behind a console ticket, for whoever carries it on to somebody who may not have the token."""

import hashlib
import socket
import ssl
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import WebSocketException

from alma.jobs.kinds import Unknown
from vms.models import Cluster
from vms.proxmox.addresses import AddressRefused, resolve
from vms.proxmox.client import authorization_of, trust_of
from vms.proxmox.transport import Trust

SECONDS = 5.0
"""For the connection, and again for the handshake: the ticket is good for ten."""
LARGEST = 4 * 1024 * 1024
"""Bytes of one message."""


@dataclass(frozen=True, kw_only=True)
class Door:
    """Where a console is entered: an address that was looked up and found allowed, and what proves both sides."""

    uri: str = field(repr=False)
    host: str
    address: str
    port: int
    context: ssl.SSLContext
    authorization: str = field(repr=False)


def door_to(cluster: Cluster, path: str) -> Door:
    """The way to a path with a ticket; blocks for a name to be looked up, and for a pinned certificate. Raises Unknown."""
    try:
        address = resolve(cluster.host, cluster.port, SECONDS, is_sandbox=cluster.is_sandbox)[0]
        context = _context(trust_of(cluster), address, cluster.port)
    except AddressRefused as error:
        raise Unknown(str(error)) from error
    except OSError as error:
        raise Unknown("The cluster did not open the console.") from error
    host = f"[{cluster.host}]" if ":" in cluster.host else cluster.host
    return Door(
        uri=f"wss://{host}:{cluster.port}{path}", host=cluster.host, address=address, port=cluster.port, context=context,
        authorization=authorization_of(cluster),
    )  # fmt: skip


def _context(trust: Trust, address: str, port: int) -> ssl.SSLContext:
    """As the driver verifies. A pinned certificate is fetched and compared first, and then it alone is trusted: nothing is sent
    before that. Raises OSError."""
    if not trust.fingerprint:
        return trust.context()
    with socket.create_connection((address, port), SECONDS) as raw, trust.context_unchecked().wrap_socket(raw) as peer:
        found = peer.getpeercert(binary_form=True) or b""
    if hashlib.sha256(found).hexdigest() != trust.fingerprint.replace(":", "").lower():
        raise ssl.SSLError("The certificate of the cluster is not the pinned one.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.load_verify_locations(cadata=found)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


async def enter(door: Door) -> ClientConnection:
    """The socket, whose messages are what the console says. Raises Unknown."""
    try:
        return await open_websocket(
            door.uri, ssl=door.context, server_hostname=door.host, host=door.address, port=door.port, proxy=None,
            additional_headers={"Authorization": door.authorization}, subprotocols=["binary"],  # type: ignore[list-item]
            open_timeout=SECONDS, close_timeout=1, max_size=LARGEST, max_queue=4, compression=None, user_agent_header="ALMA",
        )  # fmt: skip
    except (WebSocketException, OSError, TimeoutError) as error:
        raise Unknown("The cluster did not open the console.") from error
