"""Real streams on the loopback interface, for tests: a camera, and the ways it can be heard.

A `Camera` draws numbered pictures, encodes them at 50 a second and hands the bytes to an outlet.
It can stall, change its picture size and damage what it sends. Everything ends with `stop`.
"""

from __future__ import annotations

import contextlib
import http.server
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Protocol

import av
import cv2
import numpy as np

from engine.types import Image
from tests.clips import picture

RATE_HZ = 50
_DATAGRAM = 1316
_WAIT_S = 5.0
SYSTEM_PYTHON = Path("/usr/bin/python3")
"""Debian's own: it has the bindings of GStreamer."""


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Outlet(Protocol):
    """Where pictures go, as they are or encoded."""

    def send(self, packets: list[Any]) -> None: ...

    def show(self, image: Image) -> None: ...

    def close(self) -> None: ...


class Camera:
    """Films numbered pictures until stopped."""

    def __init__(self, outlet: Outlet, *, first: int = 0, key_every: int = 10) -> None:
        self.number = first
        self.is_stalled = threading.Event()
        self.size = (160, 120)
        self._outlet = outlet
        self._key_every = key_every
        self._told = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._told.set()
        self._thread.join(_WAIT_S)
        self._outlet.close()

    def _run(self) -> None:
        size, encoder = self.size, self._encoder(self.size)
        due_s = time.monotonic()
        while not self._told.wait(max(0.0, due_s - time.monotonic())):
            due_s += 1 / RATE_HZ
            if self.is_stalled.is_set():
                continue
            if size != self.size:
                size, encoder = self.size, self._encoder(self.size)
            image = picture(self.number, size)
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = self.number, Fraction(1, RATE_HZ)
            self.number += 1
            with contextlib.suppress(OSError):
                self._outlet.show(image)
                self._outlet.send(encoder.encode(frame))

    def _encoder(self, size: tuple[int, int]) -> Any:
        encoder: Any = av.CodecContext.create("libx264", "w")
        encoder.width, encoder.height = size
        encoder.pix_fmt = "yuv420p"
        encoder.time_base, encoder.framerate = Fraction(1, RATE_HZ), Fraction(RATE_HZ)
        encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(self._key_every)}
        return encoder


class TransportStream:
    """Muxes as MPEG-TS into a socket; `damage` changes the bytes on their way."""

    def __init__(self) -> None:
        self.damage = threading.Event()
        self._random = np.random.default_rng(3)
        self._muxer: Any = av.open(self, "w", format="mpegts", options={"flush_packets": "1"})
        self._stream: Any = self._muxer.add_stream("libx264", rate=RATE_HZ)
        self._stream.width, self._stream.height, self._stream.pix_fmt = 160, 120, "yuv420p"
        self._stream.time_base = Fraction(1, RATE_HZ)

    name = "loopback.ts"

    def send(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.stream = self._stream
            packet.time_base = Fraction(1, RATE_HZ)
            self._muxer.mux(packet)

    def write(self, data: bytes) -> int:
        if self.damage.is_set():
            noisy = np.frombuffer(data, np.uint8).copy()
            hit = self._random.random(noisy.size) < 0.02
            noisy[hit] ^= 0x55
            data = noisy.tobytes()
        self.deliver(data)
        return len(data)

    def deliver(self, data: bytes) -> None:
        raise NotImplementedError

    def show(self, image: Image) -> None:
        pass

    def close(self) -> None:
        with contextlib.suppress(av.FFmpegError, OSError):
            self._muxer.close()


class Datagrams(TransportStream):
    """MPEG-TS over UDP to `port`."""

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        super().__init__()

    def deliver(self, data: bytes) -> None:
        for start in range(0, len(data), _DATAGRAM):
            with contextlib.suppress(ConnectionRefusedError):
                self._socket.sendto(data[start : start + _DATAGRAM], self._to)

    def close(self) -> None:
        super().close()
        self._socket.close()


class Connections(TransportStream):
    """MPEG-TS to whoever connects to `port` by TCP."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.setblocking(False)
        self._peers: list[socket.socket] = []
        super().__init__()

    def deliver(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            peer, _ = self._listener.accept()
            peer.setblocking(True)
            self._peers.append(peer)
        for peer in list(self._peers):
            try:
                peer.sendall(data)
            except OSError:
                self._peers.remove(peer)
                peer.close()

    def close(self) -> None:
        super().close()
        for peer in self._peers:
            peer.close()
        self._listener.close()


class Rtp:
    """RTP to `port`; `sdp` tells how to receive it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._muxer: Any = av.open(f"rtp://127.0.0.1:{port}", "w", format="rtp")
        self._stream: Any = self._muxer.add_stream("libx264", rate=RATE_HZ)
        self._stream.width, self._stream.height, self._stream.pix_fmt = 160, 120, "yuv420p"
        self._stream.time_base = Fraction(1, RATE_HZ)

    @cached_property
    def sdp(self) -> str:
        return (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=loopback\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=video {self._port} RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
            "a=fmtp:96 packetization-mode=1\r\n"
        )

    def send(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.stream, packet.time_base = self._stream, Fraction(1, RATE_HZ)
            with contextlib.suppress(av.FFmpegError):
                self._muxer.mux(packet)

    def show(self, image: Image) -> None:
        pass

    def close(self) -> None:
        with contextlib.suppress(av.FFmpegError):
            self._muxer.close()


class Mjpeg:
    """MJPEG over HTTP at `/live`, as network cameras offer it; other paths are not found."""

    def __init__(self, port: int) -> None:
        outlet = self
        self._newest = b""
        self._fresh = threading.Condition()
        self._told = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/secret":
                    self.send_error(401)
                elif self.path != "/live":
                    self.send_error(404)
                else:
                    with contextlib.suppress(OSError):
                        outlet.serve(self)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def send(self, packets: list[Any]) -> None:
        pass

    def serve(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        handler.end_headers()
        while not self._told.is_set():
            with self._fresh:
                self._fresh.wait(1.0)
                jpeg = self._newest
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            handler.wfile.write(head.encode() + jpeg + b"\r\n")

    def show(self, image: Image) -> None:
        with self._fresh:
            self._newest = cv2.imencode(".jpg", image[..., ::-1])[1].tobytes()
            self._fresh.notify_all()

    def close(self) -> None:
        self._told.set()
        self._server.shutdown()
        self._thread.join(_WAIT_S)
        self._server.server_close()


class Rtsp(Rtp):
    """A real RTSP server (GStreamer's), at `/live`, that passes on what is sent here."""

    def __init__(self, port: int) -> None:
        inner = free_port(socket.SOCK_DGRAM)
        super().__init__(inner)
        script = Path(__file__).with_name("rtsp_server.py")
        self._server = subprocess.Popen(
            [SYSTEM_PYTHON, script, str(port), str(inner)], stdout=subprocess.PIPE
        )
        assert self._server.stdout is not None
        assert self._server.stdout.readline() == b"ready\n"

    def close(self) -> None:
        self._server.kill()
        self._server.communicate()
        super().close()


@cache
def has_rtsp_server() -> bool:
    """Whether Debian's gst-rtsp-server can be used."""
    probe = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); gi.require_version('Gst', '1.0')"
    )
    elements = "from gi.repository import Gst; Gst.init(None); assert Gst.ElementFactory.find"
    found = f"{probe}\n{elements}('rtph264pay') and Gst.ElementFactory.find('udpsrc')"
    try:
        return subprocess.run([SYSTEM_PYTHON, "-c", found], capture_output=True).returncode == 0
    except OSError:
        return False


@dataclass(frozen=True)
class Way:
    """One way to send, and the address under which it is heard."""

    outlet: Callable[[int], Outlet]
    address: str
    socket_kind: int = socket.SOCK_STREAM

    def free_port(self) -> int:
        return free_port(self.socket_kind)


WAYS: dict[str, Way] = {
    "udp": Way(Datagrams, "udp://127.0.0.1:{port}", socket.SOCK_DGRAM),
    "tcp": Way(Connections, "tcp://127.0.0.1:{port}"),
    "http": Way(Mjpeg, "http://127.0.0.1:{port}/live"),
    "rtsp": Way(Rtsp, "rtsp://127.0.0.1:{port}/live"),
    "rtsp+udp": Way(Rtsp, "rtsp+udp://127.0.0.1:{port}/live"),
}
"""Ways that an address alone describes; RTP needs a file beside it."""
