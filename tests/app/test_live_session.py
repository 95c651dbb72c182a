"""The controller on live sources: what it says, and that nothing it is told stops it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import cast

import pytest

from app.screen import Screen, Signal
from app.session import Session
from engine.analyser import Analyser
from tests.app.pictures import SquareFinder, until
from tests.streams import Camera, Datagrams, free_port

_LIVE = "live:pattern:160x120@50,frames=500"


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session(open_analyser=lambda: cast(Analyser, SquareFinder()))
    yield made
    made.close()


def _reaches(session: Session, is_so: Callable[[Screen], bool]) -> bool:
    return until(lambda: is_so(session.tick()))


def test_a_lost_signal_is_said_and_its_return_too(session: Session) -> None:
    port = free_port(socket.SOCK_DGRAM)
    camera = Camera(Datagrams(port))
    session.open(f"udp://127.0.0.1:{port}")
    assert _reaches(session, lambda screen: screen.signal is Signal.LIVE)
    camera.stop()
    assert _reaches(session, lambda screen: screen.signal is Signal.NO_SIGNAL)
    screen = session.tick()
    assert screen.detail == f"No signal from udp://127.0.0.1:{port}. Waiting."
    assert (screen.frame, screen.analysis) == (None, None)
    camera = Camera(Datagrams(port), first=1000)
    assert _reaches(session, lambda screen: screen.signal is Signal.LIVE)
    camera.stop()


def test_a_new_picture_size_is_in_the_next_screen(session: Session) -> None:
    port = free_port(socket.SOCK_DGRAM)
    camera = Camera(Datagrams(port))
    session.open(f"udp://127.0.0.1:{port}")
    assert _reaches(session, lambda screen: screen.info is not None)
    camera.size = (320, 240)
    assert _reaches(session, lambda screen: screen.info is not None and screen.info.width == 320)
    camera.stop()
    assert any("320x240" in notice.what for notice in session.take_notices())


def test_a_stream_that_cannot_be_opened_is_a_notice(session: Session) -> None:
    session.open(f"tcp://user:secret@127.0.0.1:{free_port()}")
    session.wait_until_open(30.0)
    session.tick()
    (notice,) = session.take_notices()
    assert "refuses the connection" in notice.what
    assert "secret" not in f"{notice}"


def test_what_is_being_opened_is_named_without_its_password(session: Session) -> None:
    session.open("rtsp://user:secret@192.0.2.1/live")
    assert session.tick().detail == "Opening rtsp://192.0.2.1/live."


def test_a_live_picture_can_be_frozen(session: Session) -> None:
    session.open(_LIVE)
    assert _reaches(session, lambda screen: screen.signal is Signal.LIVE)
    session.toggle_play()
    assert _reaches(session, lambda screen: screen.signal is Signal.PAUSED)
    session.toggle_play()
    assert _reaches(session, lambda screen: screen.signal is Signal.LIVE)


def test_wishes_that_make_no_sense_live_do_nothing(session: Session) -> None:
    session.open(_LIVE)
    assert _reaches(session, lambda screen: screen.signal is Signal.LIVE)
    session.seek(3.0)
    session.seek_by(-1.0)
    session.seek_to_end()
    session.change_speed(1)
    session.cycle_loop()
    screen = session.tick()
    assert (screen.speed, screen.loop, screen.is_playing) == (1.0, None, True)
