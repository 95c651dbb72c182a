"""Real streams on the loopback interface, and everything that happens to streams."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise

import pytest

from engine.errors import SourceError, SourceNotFoundError
from engine.sources import LiveSource, Packet, PacketSource
from engine.sources.pattern import read_code
from engine.sources.stream import TRANSPORTS, open_stream, stream_input
from engine.types import Frame
from tests.streams import (
    WAYS,
    Camera,
    Connections,
    Datagrams,
    Mjpeg,
    TransportStream,
    free_port,
    has_rtsp_server,
)

_WAIT_S = 6.0


def until(is_so: Callable[[], bool], within_s: float = _WAIT_S) -> float:
    """Seconds until `is_so`, at most `within_s`."""
    started_s = time.monotonic()
    while not is_so():
        assert time.monotonic() - started_s < within_s, "it never came true"
        time.sleep(0.002)
    return time.monotonic() - started_s


def newest(source: LiveSource) -> Frame:
    """The next picture."""
    until_s = time.monotonic() + _WAIT_S
    while time.monotonic() < until_s:
        frame = source.read()
        if frame is not None:
            return frame
    raise AssertionError("no picture came")


def next_code(source: LiveSource) -> int:
    """The number in the next picture."""
    code = read_code(newest(source).image)
    assert code is not None
    return code


@pytest.fixture
def port() -> int:
    return free_port(socket.SOCK_DGRAM)


@pytest.fixture
def outlet(port: int) -> Datagrams:
    return Datagrams(port)


@pytest.fixture
def camera(outlet: TransportStream) -> Iterator[Camera]:
    filming = Camera(outlet)
    yield filming
    filming.stop()


@pytest.fixture
def source(camera: Camera, port: int) -> Iterator[LiveSource]:
    with closing(open_stream(f"udp://127.0.0.1:{port}")) as opened:
        yield opened


@pytest.mark.parametrize("name", WAYS)
def test_a_sender_that_stops_is_missed_within_200_ms_and_back_within_2_s(name: str) -> None:
    if name.startswith("rtsp") and not has_rtsp_server():
        pytest.skip("gst-rtsp-server is not installed: installer/packages.sh tests")
    way = WAYS[name]
    port = way.free_port()
    address = way.address.format(port=port)
    camera = Camera(way.outlet(port))
    with closing(open_stream(address)) as source:
        next_code(source)
        camera.is_stalled.set()
        lost_s = until(lambda: not source.signal.is_present)
        camera.stop()
        camera = Camera(way.outlet(port), first=5000)
        back_s = until(lambda: source.signal.is_present)
        # What FFmpeg's parser still held of the old sender comes first.
        until(lambda: next_code(source) >= 5000)
        camera.stop()
    # A picture may have been on its way when the camera stalled; 60 ms are for a busy machine.
    assert (lost_s < 0.26, back_s < 2.0) == (True, True), (lost_s, back_s)


def test_a_stall_is_told_with_its_reason_and_survived(camera: Camera, source: LiveSource) -> None:
    camera.is_stalled.set()
    until(lambda: source.signal.problem is not None)
    assert "sends no video" in (source.signal.problem or "")
    camera.is_stalled.clear()
    assert until(lambda: source.signal.is_present) < 2.0


def test_a_stream_joined_in_its_middle_starts_at_the_next_key_frame(
    outlet: Datagrams, port: int
) -> None:
    camera = Camera(outlet, key_every=40)
    until(lambda: camera.number > 5)
    with closing(open_stream(f"udp://127.0.0.1:{port}")) as source:
        first = next_code(source)
        camera.stop()
        assert (first % 40, source.note) == (0, None)


def test_a_change_of_resolution_is_followed(camera: Camera, source: LiveSource) -> None:
    next_code(source)
    camera.size = (320, 240)
    until(lambda: (frame := source.read()) is not None and frame.image.shape == (240, 320, 3))
    assert (source.info.width, source.info.height) == (320, 240)


def test_a_burst_of_bit_errors_is_survived_and_told(
    camera: Camera, outlet: Datagrams, source: LiveSource
) -> None:
    next_code(source)
    outlet.damage.set()
    until(lambda: source.read() is not None and "arrive damaged" in (source.note or ""))
    outlet.damage.clear()
    number = camera.number

    def is_whole_again() -> bool:
        frame = source.read()
        code = None if frame is None else read_code(frame.image)
        return code is not None and code > number

    until(is_whole_again)


def test_a_reader_that_sleeps_wakes_to_the_newest_picture(
    camera: Camera, source: LiveSource
) -> None:
    next_code(source)
    since = camera.number
    until(lambda: camera.number > since + 25)
    # Two pictures lie in FFmpeg's parser: it knows the end of one by the beginning of the next.
    assert camera.number - next_code(source) <= 5


@pytest.mark.parametrize("scheme", ["tcp", "http", "rtsp"])
def test_a_refused_connection_is_told(scheme: str) -> None:
    port = free_port()
    with pytest.raises(SourceError, match="refuses the connection"):
        open_stream(f"{scheme}://127.0.0.1:{port}/live")


@pytest.mark.parametrize(
    ("path", "told"), [("/wrong", "no such path"), ("/secret", "name and a password")]
)
def test_a_wrong_path_and_a_missing_password_are_told_apart(path: str, told: str) -> None:
    port = free_port()
    outlet = Mjpeg(port)
    try:
        with pytest.raises(SourceError, match=told):
            open_stream(f"http://127.0.0.1:{port}{path}")
    finally:
        outlet.close()


def test_passwords_are_in_no_message() -> None:
    with pytest.raises(SourceError) as refused:
        open_stream(f"rtsp://user:secret@127.0.0.1:{free_port()}/live")
    assert "secret" not in str(refused.value)


def test_what_is_no_video_is_refused() -> None:
    port = free_port()

    class Noise(Connections):
        def deliver(self, data: bytes) -> None:
            super().deliver(bytes(reversed(data)) * 40)

    camera = Camera(Noise(port))
    try:
        with pytest.raises(SourceError, match=r"nothing that is known as video|sends no video"):
            open_stream(f"tcp://127.0.0.1:{port}")
    finally:
        camera.stop()


@pytest.mark.parametrize("spec", ["rtsp://", "udp:5000", "tcp:"])
def test_half_an_address_is_refused(spec: str) -> None:
    with pytest.raises(SourceError, match="no complete address"):
        stream_input(spec)


def test_a_missing_description_is_told() -> None:
    with pytest.raises(SourceNotFoundError, match="no file"):
        stream_input("nowhere.sdp")


def test_rtsp_goes_by_tcp_unless_udp_is_named() -> None:
    by_default, by_udp = stream_input("rtsp://host/live"), stream_input("rtsp+udp://host/live")
    assert by_default.options["rtsp_transport"] == "tcp"
    assert (by_udp.url, by_udp.options["rtsp_transport"]) == ("rtsp://host/live", "udp")


@pytest.mark.parametrize("scheme", TRANSPORTS)
def test_only_a_description_in_a_file_lets_files_be_opened(scheme: str) -> None:
    assert ("file" in TRANSPORTS[scheme].protocols.split(",")) == (scheme == "sdp")


def test_packets_can_be_kept_as_they_are(camera: Camera, source: LiveSource) -> None:
    packets: list[Packet] = []
    assert isinstance(source, PacketSource)
    source.tap(packets.append)
    until(lambda: len(packets) >= 12)
    source.tap(None)
    stamps = [packet.pts_s for packet in packets]
    steps = [later - earlier for earlier, later in pairwise(stamps)]
    assert steps == pytest.approx([0.02] * len(steps), abs=1e-3)
    assert any(packet.data.is_keyframe for packet in packets)
    assert stamps[-1] == pytest.approx(newest(source).pts_s, abs=0.3)


def test_pictures_without_time_stamps_are_not_kept_as_packets() -> None:
    port = free_port()
    camera = Camera(Mjpeg(port))
    with closing(open_stream(f"http://127.0.0.1:{port}/live")) as source:
        assert isinstance(source, PacketSource)
        assert not source.offers_packets
    camera.stop()


def test_packets_after_a_return_lie_where_their_pictures_lie(
    camera: Camera, outlet: Datagrams, port: int, source: LiveSource
) -> None:
    packets: list[Packet] = []
    assert isinstance(source, PacketSource)
    next_code(source)
    until(lambda: camera.number > 40)
    camera.is_stalled.set()
    until(lambda: source.signal.problem is not None)
    source.tap(packets.append)
    again = Camera(Datagrams(port))
    until(lambda: len(packets) >= 5)
    shown_s = newest(source).pts_s
    again.stop()
    assert [packet.pts_s for packet in packets] == pytest.approx([shown_s] * len(packets), abs=0.5)
