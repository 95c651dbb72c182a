"""Results on disk: a video with the folds painted in, and a table of the folds.

The video has the size, the frames, the time base and the time stamps of its source, so that a
frame of one is found in the other; sound is not copied. Files are written under a temporary name
and renamed when complete: what bears the final name is whole.

Choices: H.264 in MP4 without B-frames, which need an edit list that some players ignore. 4:2:0
colour for even sizes; 4:4:4 for odd ones, because 4:2:0 cannot hold them and neither padding nor
cropping keeps contours in frame pixels. MP4 has no negative times: a source that starts below
zero is written from zero on.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import av
import numpy as np

from engine.errors import RecordingError
from engine.sources import SourceInfo, VideoSource
from engine.types import Analysis, FoldInstance, Frame, Image, Points

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov")
_SMPTE_170M = 6
_LIMITED_RANGE = 1


class Recorder(Protocol):
    """Something that keeps results, one after another."""

    def write(self, analysis: Analysis, painted: Image) -> None:
        """Keep one frame. Raises RecordingError."""
        ...

    def finish(self) -> None:
        """Complete the file and give it its name. Raises RecordingError."""
        ...

    def discard(self) -> None:
        """Leave nothing behind; does nothing after `finish`."""
        ...


class _TemporaryFile:
    """A file that has its final name only once it is complete."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.part = path.with_name(f".{path.stem}.part{path.suffix}")
        if not path.parent.is_dir():
            raise RecordingError(
                f"There is no folder {path.parent} to write {path.name} to.", "Create it first."
            )
        if path.is_dir():
            raise RecordingError(f"{path} is a folder.", "Name a file to write to.")

    def keep(self) -> None:
        try:
            self.part.replace(self.path)
        except OSError as error:
            raise self.failure(error) from error

    def discard(self) -> None:
        with contextlib.suppress(OSError):
            self.part.unlink(missing_ok=True)

    def failure(self, error: Exception) -> RecordingError:
        reason = getattr(error, "strerror", None) or str(error)
        return RecordingError(
            f"{self.path} cannot be written: {reason}.",
            "Check the free space and the permissions there, or name another place.",
        )


class _Recording:
    """`with` around a recorder: finished if all went well, discarded if not."""

    def finish(self) -> None:
        raise NotImplementedError

    def discard(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Any:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self.discard()
            return
        try:
            self.finish()
        except BaseException:
            self.discard()
            raise


class OverlayVideo(_Recording):
    """An H.264 MP4 beside its source.

    Args:
        path: ends in .mp4, .m4v or .mov.
        info: of the source whose frames are written.
        quality: constant rate factor of the encoder; smaller is better and larger.

    Raises:
        RecordingError: the name is no video name, or nothing can be written there.
    """

    def __init__(self, path: Path, info: SourceInfo, quality: int = 18) -> None:
        if path.suffix.lower() not in VIDEO_SUFFIXES:
            raise RecordingError(
                f"{path.name} is not a name for an MP4 video.",
                f"Let it end in {', '.join(VIDEO_SUFFIXES)}.",
            )
        self._file = _TemporaryFile(path)
        self._time_base = info.time_base
        self._start_pts = max(0, info.start_pts)
        self._last_pts = -1
        self._container: Any = None
        try:
            self._open(info, quality)
        except (av.FFmpegError, OSError, ValueError) as error:
            self.discard()
            raise self._file.failure(error) from error

    def write(self, analysis: Analysis, painted: Image) -> None:
        """Append `painted` (H, W, 3) at the time of the frame that was analysed."""
        self.write_image(painted, analysis.frame.pts_s)

    def write_image(self, image: Image, pts_s: float) -> None:
        """Append an (H, W, 3) picture at `pts_s` seconds from the start of the source."""
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        pts = self._start_pts + round(pts_s / self._time_base)
        picture.pts = self._last_pts = max(pts, self._last_pts + 1)
        picture.time_base = self._time_base
        picture.duration = self._frame_ticks
        try:
            self._mux(picture)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._file.failure(error) from error

    def finish(self) -> None:
        """Write what the encoder still holds, close, rename."""
        try:
            self._mux(None)
            self._container.close()
        except (av.FFmpegError, OSError) as error:
            raise self._file.failure(error) from error
        self._file.keep()

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._container is not None:
            with contextlib.suppress(av.FFmpegError, OSError, ValueError):
                self._container.close()
        self._file.discard()

    def _open(self, info: SourceInfo, quality: int) -> None:
        rate = Fraction(info.frame_rate_hz or 25.0).limit_denominator(1001)
        options = {"video_track_timescale": str(self._time_base.denominator)}
        if self._time_base.denominator > 10_000_000:
            options = {}
        self._container = av.open(
            str(self._file.part), "w", format="mp4", container_options=options
        )
        stream = self._container.add_stream(
            "libx264", rate=rate, options={"preset": "veryfast", "crf": str(quality), "bf": "0"}
        )
        is_even = info.width % 2 == 0 and info.height % 2 == 0
        stream.width, stream.height = info.width, info.height
        stream.pix_fmt = "yuv420p" if is_even else "yuv444p"
        stream.time_base = stream.codec_context.time_base = self._time_base
        stream.codec_context.colorspace = _SMPTE_170M
        stream.codec_context.color_range = _LIMITED_RANGE
        self._stream = stream
        self._frame_ticks = max(1, round(1 / (rate * self._time_base)))

    def _mux(self, picture: Any) -> None:
        for packet in self._stream.encode(picture):
            self._container.mux(packet)


def record_source(source: VideoSource, path: Path) -> Iterator[Frame]:
    """Write `source` to an MP4, yielding each frame once it is written.

    Closing the iterator early leaves nothing behind. Raises SourceError, RecordingError.
    """
    with OverlayVideo(path, source.info) as video:
        while (frame := source.read()) is not None:
            video.write_image(frame.image, frame.pts_s)
            yield frame


class FoldTable(_Recording):
    """A JSON file: what was used, then `frames[]`, one line a frame.

    `frames[]` has `index`, `pts_s`, `trust` in the picture (0..1) and `folds[]` with `track`,
    `score`, `area_px` and `contour`, [[x, y], ...] in frame pixels, pixel centres at whole
    numbers, rounded to 0.01 px; `parts`, as many more contours as the fold has further parts.

    Args:
        path: of the file.
        header: further entries beside `frames`; must be JSON.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self._file = _TemporaryFile(path)
        self._separator = "\n"
        try:
            self._out = self._file.part.open("w", encoding="utf-8", newline="\n")
            self._put(json.dumps({**header, "frames": []}, indent=1).removesuffix("[]\n}") + "[")
        except OSError as error:
            self.discard()
            raise self._file.failure(error) from error

    def write(self, analysis: Analysis, painted: Image | None = None) -> None:
        """Append the folds of one frame."""
        frame = analysis.frame
        row = {
            "index": frame.index,
            "pts_s": round(frame.pts_s, 6),
            "trust": round(analysis.trust, 3),
            "folds": [fold_row(fold) for fold in analysis.folds],
        }
        self._put(self._separator + json.dumps(row, separators=(",", ":")))
        self._separator = ",\n"

    def finish(self) -> None:
        """Close the list and the file, rename."""
        self._put("\n]}\n")
        try:
            self._out.close()
        except OSError as error:
            raise self._file.failure(error) from error
        self._file.keep()

    def discard(self) -> None:
        """Leave nothing behind."""
        if hasattr(self, "_out"):
            with contextlib.suppress(OSError):
                self._out.close()
        self._file.discard()

    def _put(self, text: str) -> None:
        try:
            self._out.write(text)
        except OSError as error:
            raise self._file.failure(error) from error


def fold_row(fold: FoldInstance) -> dict[str, Any]:
    """One fold as it stands in a table."""
    return {
        "track": fold.track,
        "score": round(float(fold.score), 4),
        "area_px": round(float(fold.area_px), 1),
        "contour": _rounded(fold.contour),
        "parts": [_rounded(part) for part in fold.parts],
    }


def _rounded(outline: Points) -> list[list[float]]:
    """An (n, 2) outline as JSON values, to a hundredth of a pixel."""
    return list(np.round(outline.astype(np.float64), 2).tolist())
