"""The screen behind a console of the sandbox: a VNC server on a websocket, whose picture changes with each key.

It speaks as much of RFB 3.8 as a viewer needs: the password, one pixel format after another, whole pictures."""

import secrets
import struct
from collections.abc import Generator, Iterator

from aiohttp import WSMsgType, web
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

WIDTH, HEIGHT = 320, 200
LARGEST = 64 * 1024
VERSION = b"RFB 003.008\n"
_FORMAT = struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 0, 8, 16)
_SIZES = {0: 20, 3: 10, 4: 8, 5: 6}
"""Bytes of the messages of a viewer that always have the same length, by their first byte."""
Talk = Generator[bytes | None, bytes, None]


def response_to(challenge: bytes, password: str) -> bytes:
    """What a viewer answers that knows the password; each byte of the key is read backwards."""
    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in password.encode()[:8].ljust(8, b"\0"))
    encryptor = Cipher(TripleDES(key * 3), modes.ECB()).encryptor()
    return encryptor.update(challenge) + encryptor.finalize()


class Screen:
    """One viewer's talk: takes bytes as they come, and says what is sent back."""

    def __init__(self, name: str, password: str) -> None:
        self.name = name
        self.password = password
        self.keys = 0
        """How many were pressed: the picture tells."""
        self.is_over = False
        self._shown = -1
        self._is_asked = False
        self._buffer = bytearray()
        self._wanted = 0
        self._talk = self._talking()
        self._said = next(self._talk)

    def take(self, data: bytes = b"") -> bytes:
        """Bytes of the viewer, of whatever length; without any, what is said first."""
        self._buffer += data
        return b"".join(self._saying())

    def _saying(self) -> Iterator[bytes]:
        """The talk yields bytes to send, and None where it needs `_wanted` more."""
        while True:
            piece = None
            if self._said is not None:
                yield self._said
            elif self.is_over or len(self._buffer) < self._wanted:
                return
            else:
                piece = bytes(self._buffer[: self._wanted])
                del self._buffer[: self._wanted]
            self._said = self._next(piece)

    def _next(self, piece: bytes | None) -> bytes | None:
        try:
            return self._talk.send(piece)  # type: ignore[arg-type]
        except StopIteration:
            self.is_over = True
            return None

    def _read(self, count: int) -> Generator[None, bytes, bytes]:
        self._wanted = count
        return (yield None)

    def _talking(self) -> Talk:
        yield VERSION
        yield from self._read(len(VERSION))
        yield bytes([1, 2])
        yield from self._read(1)
        challenge = secrets.token_bytes(16)
        yield challenge
        answer = yield from self._read(16)
        if answer != response_to(challenge, self.password):
            why = b"Authentication failed"
            yield struct.pack(">II", 1, len(why)) + why
            return
        yield struct.pack(">I", 0)
        yield from self._read(1)
        name = self.name.encode()
        yield struct.pack(">HH", WIDTH, HEIGHT) + _FORMAT + struct.pack(">I", len(name)) + name
        while not self.is_over:
            yield from self._obey((yield from self._read(1))[0])

    def _obey(self, kind: int) -> Talk:
        """One message of the viewer; a picture when it wants one and there is a new one."""
        if kind in {2, 6}:
            yield from self._skip(kind)
            return
        if kind not in _SIZES:
            self.is_over = True
            return
        rest = yield from self._read(_SIZES[kind] - 1)
        if kind == 3:
            self._is_asked = True
            self._shown = self._shown if rest[0] else -1
        if kind == 4 and rest[0]:
            self.keys += 1
        if self._is_asked and self._shown != self.keys:
            self._is_asked, self._shown = False, self.keys
            yield self._picture()

    def _skip(self, kind: int) -> Talk:
        """What has a length of its own: the encodings that a viewer knows, and what it has copied."""
        head = yield from self._read(3 if kind == 2 else 7)
        count = int.from_bytes(head[1:3]) * 4 if kind == 2 else int.from_bytes(head[3:7])
        if count > LARGEST:
            self.is_over = True
        elif count:
            yield from self._read(count)

    def _picture(self) -> bytes:
        """One colour, which each key moves on."""
        pixel = bytes([40, (60 + self.keys * 40) % 256, 120, 255])
        return struct.pack(">BxHHHHHi", 0, 1, 0, 0, WIDTH, HEIGHT, 0) + pixel * (WIDTH * HEIGHT)


def is_asked_for(request: web.BaseRequest, path: str) -> bool:
    """Whether a viewer wants the socket of a screen; the ticket of a terminal has no password."""
    is_upgrade = request.headers.get("Upgrade", "").lower() == "websocket"
    return (
        path.endswith("/vncwebsocket") and is_upgrade and not request.query.get("vncticket", "").startswith("PVEVNC:")
    )


def password_of(request: web.BaseRequest) -> str:
    """What the ticket begins with."""
    return request.query.get("vncticket", "")[:8]


async def serve(request: web.BaseRequest, screen: Screen) -> web.WebSocketResponse:
    """Carry the talk over a websocket, until one of both ends it."""
    socket = web.WebSocketResponse(protocols=("binary",), max_msg_size=LARGEST, heartbeat=30)
    await socket.prepare(request)
    await socket.send_bytes(screen.take())
    async for message in socket:
        if message.type != WSMsgType.BINARY:
            break
        if said := screen.take(message.data):
            await socket.send_bytes(said)
        if screen.is_over:
            break
    await socket.close()
    return socket
