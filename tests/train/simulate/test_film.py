"""A film is a whole, readable video of one look, and its truth fits it frame by frame."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import RecipeError
from engine.sources import open_source
from engine.truth import Truth, truth_path
from engine.types import Frame
from train.simulate.film import Film, FilmOptions, save_film
from train.simulate.itinerary import WIDTH_PX

SHORT = FilmOptions(kind="look-back", seconds=0.12, rate_hz=50, size=64)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("film")
    return save_film(folder / "clip.mp4", SHORT, folder / "way.png")


def frames_of(clip: Path) -> list[Frame]:
    source = open_source(str(clip))
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    return frames


def test_a_film_has_the_frames_it_was_asked_for(clip: Path) -> None:
    frames = frames_of(clip)
    assert [round(frame.pts_s * 50) for frame in frames] == [0, 1, 2, 3, 4, 5]
    assert frames[0].image.shape == (SHORT.height, SHORT.size, 3)


def test_the_way_is_drawn_where_it_was_asked_for(clip: Path) -> None:
    way = cv2.imread(str(clip.with_name("way.png")))
    assert way is not None
    assert way.shape[1] == WIDTH_PX


def test_every_frame_of_the_video_has_its_truth(clip: Path) -> None:
    film = Film(SHORT)
    with Truth(truth_path(clip)) as truth:
        for frame, shot, pose in zip(
            frames_of(clip), film.shots(), film.examined.poses, strict=True
        ):
            found = truth.at(frame.pts_s)
            assert found is not None
            assert found.pts_s == pytest.approx(frame.pts_s)
            assert np.array_equal(found.pose, pose)
            assert found.phase == "withdrawal"
            # 256 for 64 pixels: every pixel four times.
            assert np.array_equal(found.labels[2::4, 2::4], shot.instances)


def test_what_was_seen_behind_folds_only_grows(clip: Path) -> None:
    with Truth(truth_path(clip)) as truth:
        seen = np.stack([truth.frame(number).seen_behind for number in range(len(truth))])
    assert seen.shape == (6, len(truth.folds))
    assert (np.diff(seen, axis=0) >= 0).all()
    assert 0 < seen[-1].max() <= 1


def test_the_same_options_give_the_same_pictures_and_the_same_truth(
    clip: Path, tmp_path: Path
) -> None:
    again = save_film(tmp_path / "again.mp4", SHORT)
    assert truth_path(again).read_bytes() == truth_path(clip).read_bytes()
    for one, other in zip(frames_of(clip), frames_of(again), strict=True):
        assert np.array_equal(one.image, other.image)


def test_an_unknown_kind_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="retroflexion"):
        save_film(tmp_path / "clip.mp4", replace(SHORT, kind="flight"))
    assert list(tmp_path.iterdir()) == []
