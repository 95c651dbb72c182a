"""A film is a whole, readable video of one look."""

from pathlib import Path

import numpy as np

from engine.sources import open_source
from train.simulate.film import FilmOptions, film, save_film

SHORT = FilmOptions(seconds=0.12, rate_hz=25, size=64)


def test_the_same_options_give_the_same_pictures() -> None:
    one, other = next(iter(film(SHORT))), next(iter(film(SHORT)))
    assert np.array_equal(one, other)


def test_a_film_has_the_frames_it_was_asked_for(tmp_path: Path) -> None:
    source = open_source(str(save_film(tmp_path / "film.mp4", SHORT)))
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    assert [round(frame.pts_s * 25) for frame in frames] == [0, 1, 2]
    assert frames[0].image.shape == (SHORT.height, SHORT.size, 3)
