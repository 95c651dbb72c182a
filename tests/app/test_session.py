"""The controller, with real sources and pipelines and no display."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from app.notices import NoticeKind
from app.recordings import RecordingChoice
from app.screen import Screen, Signal
from app.session import IDLE, UNCLEAR, Session
from engine.analyser import Analyser
from engine.errors import BundleError, SourceError
from engine.shown import Mode
from engine.sources import VideoSource, open_source
from engine.sources.pattern import read_code
from engine.types import Analysis, Frame
from tests.app.pictures import SquareFinder, until

_CLIP = "pattern:160x120@50,frames=500"
_SHORT = "pattern:160x120@50,frames=8"


class _Breaks(SquareFinder):
    def __call__(self, frame: Frame) -> Analysis:
        raise RuntimeError("the model broke")


def _no_model() -> Analyser:
    raise BundleError("There is no model bundle.", "Train one.")


def _finder() -> Analyser:
    return cast(Analyser, SquareFinder())


Make = Callable[..., Session]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Session] = []

    def new(
        spec: str | None = None,
        open_analyser: Callable[[], Analyser] = _finder,
        opener: Callable[[str], VideoSource] = open_source,
    ) -> Session:
        session = Session(opener, open_analyser)
        made.append(session)
        if spec is not None:
            session.open(spec)
            assert session.wait_until_open(30.0)
        return session

    yield new
    for session in made:
        session.close()


def _reaches(session: Session, is_so: Callable[[Screen], bool]) -> bool:
    return until(lambda: is_so(session.tick()))


class _Sees(SquareFinder):
    """Finds squares in pictures that show little."""

    def __call__(self, frame: Frame) -> Analysis:
        found = super().__call__(frame)
        return replace(found, mask=replace(found.mask, trust=0.1))


def test_where_little_can_be_seen_the_line_says_so(make: Make) -> None:
    session = make(_CLIP, lambda: cast(Analyser, _Sees()))
    assert _reaches(session, lambda screen: screen.detail == UNCLEAR and not screen.is_clear)
    assert session.tick().signal in (Signal.LIVE, Signal.LATE)


def test_where_all_can_be_seen_the_line_says_nothing(make: Make) -> None:
    session = make(_CLIP)
    assert _reaches(session, lambda screen: screen.signal is Signal.LIVE and screen.is_clear)


def test_a_new_session_has_no_signal(make: Make) -> None:
    screen = make().tick()
    assert (screen.signal, screen.detail) == (Signal.NO_SIGNAL, IDLE)


def test_opening_returns_at_once_and_says_what_it_does(make: Make) -> None:
    gate = threading.Event()

    def slow(spec: str) -> VideoSource:
        gate.wait(30.0)
        return open_source(spec)

    session = make(opener=slow)
    session.open("/somewhere/exam.mp4")
    assert session.tick().detail == "Opening exam.mp4."
    gate.set()


def test_an_opened_source_plays_live(make: Make) -> None:
    assert _reaches(make(_CLIP), lambda screen: screen.signal is Signal.LIVE)


def test_another_back_end_is_asked_for_while_the_video_plays(make: Make) -> None:
    finder = SquareFinder()
    session = make(_CLIP, lambda: cast(Analyser, finder))
    session.change_backend("onnxruntime")
    session.change_backend("onnxruntime")
    assert finder.asked_for == ["onnxruntime"]
    assert session.tick().backend == "onnxruntime"


def test_a_back_end_asked_for_before_anything_is_open_computes_from_the_start(make: Make) -> None:
    finder = SquareFinder()
    session = make(open_analyser=lambda: cast(Analyser, finder))
    session.change_backend("onnxruntime")
    session.open(_CLIP)
    assert session.wait_until_open(30.0)
    assert finder.asked_for == ["onnxruntime"]


def test_the_time_shown_is_that_of_the_picture_on_screen(make: Make) -> None:
    session = make(_CLIP)
    assert _reaches(session, lambda screen: screen.position_s > 0.3)
    seen = [screen for screen in (session.tick() for _ in range(200)) if screen.frame is not None]
    assert seen
    assert all(screen.frame and screen.position_s == screen.frame.pts_s for screen in seen)


def test_an_analysis_on_screen_is_of_the_frame_on_screen(make: Make) -> None:
    session = make(_CLIP)
    assert _reaches(session, lambda screen: screen.position_s > 0.3)
    seen = [screen for screen in (session.tick() for _ in range(200)) if screen.analysis]
    assert seen
    assert all(screen.analysis and screen.analysis.frame is screen.frame for screen in seen)


def test_late_is_said_exactly_while_the_picture_has_no_folds(make: Make) -> None:
    gate = threading.Event()

    class Waits(SquareFinder):
        def __call__(self, frame: Frame) -> Analysis:
            gate.wait(30.0)
            return super().__call__(frame)

    session = make(_CLIP, lambda: cast(Analyser, Waits()))
    assert _reaches(session, lambda screen: screen.signal is Signal.LATE)
    gate.set()
    assert _reaches(session, lambda screen: screen.signal is Signal.LIVE)
    gate.clear()
    session.seek(1.0)
    assert _reaches(session, lambda screen: screen.signal is Signal.LATE)
    gate.set()
    seen = [session.tick() for _ in range(200)]
    playing = [screen for screen in seen if screen.is_playing]
    assert playing
    assert all((screen.signal is Signal.LATE) == (screen.analysis is None) for screen in playing)


class _FullDisk:
    """As the operating system describes one."""

    free = 0


class _Lags(SquareFinder):
    """Done with a frame only after the next one has come."""

    def __init__(self) -> None:
        super().__init__()
        self.session: Session | None = None

    def __call__(self, frame: Frame) -> Analysis:
        session = self.session
        if session is not None:
            pipeline = session._pipeline
            until(lambda: pipeline is None or pipeline.position_s > frame.pts_s, timeout_s=0.1)
        return super().__call__(frame)


def test_in_low_latency_the_age_of_the_folds_is_told(make: Make) -> None:
    analyser = _Lags()
    session = make(open_analyser=lambda: cast(Analyser, analyser))
    session.set_mode(Mode.LOW_LATENCY)
    analyser.session = session
    session.open(_CLIP)
    assert session.wait_until_open(30.0)
    assert _reaches(session, lambda screen: screen.signal is Signal.TRACKED)
    for screen in (session.tick() for _ in range(100)):
        if screen.signal is Signal.TRACKED:
            assert screen.detail == f"Folds are {screen.folds_age_ms:.0f} ms old, moved along."


def test_the_mode_is_kept_for_the_next_source(make: Make) -> None:
    session = make(_CLIP)
    session.set_mode(Mode.LOW_LATENCY)
    session.open(_SHORT)
    assert session.wait_until_open(30.0)
    assert session.tick().mode is Mode.LOW_LATENCY
    assert session._pipeline is not None
    assert session._pipeline.mode is Mode.LOW_LATENCY


def test_pause_is_told(make: Make) -> None:
    session = make(_CLIP)
    session.pause()
    assert _reaches(session, lambda screen: screen.signal is Signal.PAUSED)


def test_a_paused_picture_gets_its_folds(make: Make) -> None:
    session = make(_CLIP)
    session.pause()
    session.seek(2.0)
    assert _reaches(
        session,
        lambda screen: screen.analysis is not None and screen.analysis.frame.pts_s == 2.0,
    )


def test_play_and_pause_take_turns(make: Make) -> None:
    session = make(_CLIP)
    session.toggle_play()
    assert _reaches(session, lambda screen: not screen.is_playing)
    session.toggle_play()
    assert _reaches(session, lambda screen: screen.is_playing)


@pytest.mark.parametrize(("count", "index"), [(1, 101), (-1, 99), (3, 103)])
def test_a_step_shows_exactly_that_frame(make: Make, count: int, index: int) -> None:
    session = make(_CLIP)
    session.pause()
    session.seek(2.0)
    assert _reaches(session, lambda screen: screen.frame is not None and screen.frame.index == 100)
    session.step(count)
    assert _reaches(
        session, lambda screen: screen.frame is not None and screen.frame.index == index
    )


@pytest.mark.parametrize(("wanted_s", "index"), [(-5.0, 0), (4.0, 200), (99.0, 499)])
def test_a_seek_is_clamped_to_the_source(make: Make, wanted_s: float, index: int) -> None:
    session = make(_CLIP)
    session.pause()
    session.seek(wanted_s)
    assert _reaches(
        session, lambda screen: screen.frame is not None and screen.frame.index == index
    )


def test_the_last_frame_stays_at_the_end(make: Make) -> None:
    session = make(_SHORT)
    assert _reaches(session, lambda screen: screen.detail.startswith("At the end."))
    # Its folds may come a moment later than the end itself.
    assert _reaches(session, lambda screen: screen.frame is not None and screen.frame.index == 7)


def test_play_at_the_end_starts_again(make: Make) -> None:
    session = make(_SHORT)
    assert _reaches(session, lambda screen: screen.detail.startswith("At the end."))
    session.toggle_play()
    assert _reaches(session, lambda screen: screen.frame is not None and screen.frame.index < 7)


@pytest.mark.parametrize(("steps", "speed"), [((1,), 1.5), ((-1,), 0.5), ((1, 1, 0), 1.0)])
def test_speed_changes_by_notches(make: Make, steps: tuple[int, ...], speed: float) -> None:
    session = make(_CLIP)
    for step in steps:
        session.change_speed(step)
    assert session.tick().speed == speed


def test_a_loop_returns_to_its_start(make: Make) -> None:
    session = make(_CLIP)
    session.pause()
    session.seek(1.0)
    assert _reaches(session, lambda screen: screen.position_s == pytest.approx(1.0))
    session.cycle_loop()
    session.seek(1.2)
    assert _reaches(session, lambda screen: screen.position_s == pytest.approx(1.2))
    session.cycle_loop()
    session.play()
    assert _reaches(session, lambda screen: screen.position_s < 1.1)


def test_a_loop_set_three_times_is_off(make: Make) -> None:
    session = make(_CLIP)
    session.cycle_loop()
    assert _reaches(session, lambda screen: screen.position_s > 0.2)
    session.cycle_loop()
    session.cycle_loop()
    assert session.tick().loop is None


def test_a_source_that_fails_to_open_is_told_and_the_old_one_plays_on(
    make: Make, tmp_path: Path
) -> None:
    session = make(_CLIP)
    session.open(tmp_path / "none.mp4")
    session.wait_until_open(30.0)
    screen = session.tick()
    assert (len(session.take_notices()), screen.info and screen.info.width) == (1, 160)


def test_an_unforeseen_error_while_opening_is_told(make: Make) -> None:
    def broken(spec: str) -> VideoSource:
        raise ZeroDivisionError("oops")

    session = make("anything", opener=broken)
    session.tick()
    (notice,) = session.take_notices()
    assert (notice.kind, "ZeroDivisionError" in notice.what) == (NoticeKind.FAULT, True)


def test_without_a_model_the_video_plays_bare_and_says_so(make: Make) -> None:
    session = make(_CLIP, _no_model)
    assert _reaches(session, lambda screen: screen.frame is not None)
    assert session.tick().signal is Signal.FAULT


def test_a_missing_model_is_told_with_its_remedy(make: Make) -> None:
    session = make(_CLIP, _no_model)
    session.tick()
    assert [notice.remedy for notice in session.take_notices()] == ["Train one."]


def test_a_model_that_breaks_leaves_the_video_running(make: Make) -> None:
    session = make(_CLIP, lambda: cast(Analyser, _Breaks()))
    assert _reaches(session, lambda screen: screen.signal is Signal.FAULT)
    before_s = session.tick().position_s
    assert _reaches(session, lambda screen: screen.position_s > before_s)


def test_a_fault_is_told_once(make: Make) -> None:
    session = make(_CLIP, lambda: cast(Analyser, _Breaks()))
    assert _reaches(session, lambda screen: screen.signal is Signal.FAULT)
    for _ in range(5):
        session.tick()
    assert len(session.take_notices()) == 1


def test_what_plays_is_recorded_until_told_to_end(make: Make, tmp_path: Path) -> None:
    session = make(_CLIP)
    session.record(RecordingChoice(tmp_path / "films"))
    assert _reaches(
        session,
        lambda screen: screen.recording is not None and screen.recording.elapsed_s > 0.2,
    )
    session.end_recording()
    assert session.tick().recording is None
    (notice,) = session.take_notices()
    assert notice.what.startswith("Recorded ")
    assert session.close(30.0)
    (video,) = (tmp_path / "films").glob("*.mkv")
    source = open_source(video)
    first = source.read()
    assert first is not None
    assert read_code(first.image) is not None


def test_another_source_ends_the_recording(make: Make, tmp_path: Path) -> None:
    session = make(_CLIP)
    session.record(RecordingChoice(tmp_path))
    assert session.tick().recording is not None
    session.open(_SHORT)
    assert session.wait_until_open(30.0)
    assert _reaches(session, lambda screen: screen.recording is None)


def test_two_recordings_have_two_names(make: Make, tmp_path: Path) -> None:
    session = make(_CLIP)
    for _ in range(2):
        session.record(RecordingChoice(tmp_path, raw=True, overlay=True))
        assert _reaches(
            session, lambda screen: screen.recording is not None and screen.recording.pictures > 0
        )
        session.end_recording()
    assert session.close(30.0)
    assert len(list(tmp_path.glob("*-folds.mkv"))) == 2
    assert len(list(tmp_path.glob("*.mkv"))) == 4


def test_a_folder_that_cannot_be_made_is_told(make: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    session = make(_CLIP)
    session.record(RecordingChoice(tmp_path / "file" / "films"))
    (notice,) = session.take_notices()
    assert "cannot be created" in notice.what


def test_a_full_disk_ends_the_recording_and_the_video_plays_on(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make(_CLIP)
    session.record(RecordingChoice(tmp_path))
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: _FullDisk())
    assert _reaches(session, lambda screen: screen.recording is None)
    (notice,) = session.take_notices()
    assert (notice.kind, "MB are left" in notice.what) == (NoticeKind.FAULT, True)
    before_s = session.tick().position_s
    assert _reaches(session, lambda screen: screen.position_s > before_s)


def test_of_two_sources_asked_for_the_later_one_plays(make: Make) -> None:
    gate = threading.Event()

    def first_is_slow(spec: str) -> VideoSource:
        if spec == _SHORT:
            gate.wait(30.0)
        return open_source(spec)

    session = make(opener=first_is_slow)
    session.open(_SHORT)
    session.open(_CLIP)
    assert session.wait_until_open(30.0)
    gate.set()
    assert _reaches(session, lambda screen: screen.info is not None)
    info = session.tick().info
    assert info is not None
    assert info.frame_count == 500


def test_intentions_without_a_source_do_nothing(make: Make) -> None:
    session = make()
    for intend in (session.toggle_play, session.play, session.pause, session.seek_to_end):
        intend()
    session.cycle_loop()
    session.step(1)
    session.seek(1.0)
    session.seek_by(1.0)
    session.change_speed(1)
    session.record(RecordingChoice(Path("nowhere")))
    session.end_recording()
    assert session.tick() == Screen(detail=IDLE)


def test_a_closed_session_has_no_signal(make: Make) -> None:
    session = make(_CLIP)
    session.close()
    session.close()
    assert session.tick().signal is Signal.NO_SIGNAL


def test_closing_waits_for_a_source_that_is_being_opened(make: Make) -> None:
    gate = threading.Event()

    def slow(spec: str) -> VideoSource:
        gate.wait(30.0)
        return open_source(spec)

    session = make(opener=slow)
    session.open(_CLIP)
    threading.Timer(0.05, gate.set).start()
    assert session.close(timeout_s=30.0)


def test_closing_does_not_wait_for_ever(make: Make) -> None:
    gate = threading.Event()

    def hangs(spec: str) -> VideoSource:
        gate.wait(30.0)
        return open_source(spec)

    session = make(opener=hangs)
    session.open(_CLIP)
    has_ended = session.close(timeout_s=0.01)
    gate.set()
    assert not has_ended


def test_an_explained_error_is_shown_as_it_explains_itself(make: Make) -> None:
    def refuses(spec: str) -> VideoSource:
        raise SourceError("exam.mp4 has no pictures.", "Open a recording with video.")

    session = make("exam.mp4", opener=refuses)
    session.tick()
    (notice,) = session.take_notices()
    assert (notice.what, notice.remedy) == (
        "exam.mp4 has no pictures.",
        "Open a recording with video.",
    )


def test_what_a_back_end_has_to_say_is_told_once(make: Make) -> None:
    finder = SquareFinder()
    session = make(_CLIP, lambda: cast(Analyser, finder))
    session.tick()
    finder.note = "The GPU went away. OpenVINO goes on instead."
    for _ in range(3):
        session.tick()
    assert [notice.what for notice in session.take_notices()] == [finder.note]


def test_closing_gives_the_model_back(make: Make) -> None:
    finder = SquareFinder()
    session = make(_CLIP, lambda: cast(Analyser, finder))
    session.tick()
    assert session.close()
    assert finder.is_closed
