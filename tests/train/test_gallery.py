from __future__ import annotations

from pathlib import Path

import numpy as np

from train.gallery import Gallery
from train.simulate.dataset import SimulatedSet

AT = ("a", 0)


def gallery_of(data: Path, folder: Path, looks: int = 2) -> Gallery:
    return Gallery(SimulatedSet(data), "rich", 3, looks, folder)


def test_a_look_is_shaded_once_and_read_ever_after(tiny_set: Path, tmp_path: Path) -> None:
    gallery = gallery_of(tiny_set, tmp_path, looks=1)
    shaded, labels = gallery.draw(AT, np.random.default_rng(0))
    path = tmp_path / AT[0] / "000000-0.npy"
    written = path.stat().st_mtime_ns
    read, same_labels = gallery.draw(AT, np.random.default_rng(99))
    assert np.array_equal(shaded, read)
    assert np.array_equal(labels, same_labels)
    assert path.stat().st_mtime_ns == written
    assert not list(tmp_path.rglob("*.tmp"))


def test_looks_do_not_depend_on_the_order_they_are_asked_for(
    tiny_set: Path, tmp_path: Path
) -> None:
    one = gallery_of(tiny_set, tmp_path / "one", looks=1)
    other = gallery_of(tiny_set, tmp_path / "other", looks=1)
    other.draw(("a", 1), np.random.default_rng(5))
    assert np.array_equal(
        one.draw(AT, np.random.default_rng(0))[0], other.draw(AT, np.random.default_rng(7))[0]
    )


def test_no_more_looks_are_kept_than_wanted(tiny_set: Path, tmp_path: Path) -> None:
    gallery = gallery_of(tiny_set, tmp_path)
    for seed in range(12):
        gallery.draw(AT, np.random.default_rng(seed))
    assert len(list(tmp_path.rglob("*.npy"))) == 2


def test_a_file_cut_short_is_shaded_again(tiny_set: Path, tmp_path: Path) -> None:
    gallery = gallery_of(tiny_set, tmp_path, looks=1)
    before = gallery.draw(AT, np.random.default_rng(0))[0]
    path = tmp_path / AT[0] / "000000-0.npy"
    path.write_bytes(path.read_bytes()[:1000])
    assert np.array_equal(gallery.draw(AT, np.random.default_rng(0))[0], before)


def test_without_looks_every_draw_is_new_and_nothing_is_written(
    tiny_set: Path, tmp_path: Path
) -> None:
    gallery = gallery_of(tiny_set, tmp_path, looks=0)
    pictures = [gallery.draw(AT, np.random.default_rng(seed))[0] for seed in (0, 1)]
    assert not np.array_equal(*pictures)
    assert not list(tmp_path.iterdir())


def test_further_styles_take_their_share_of_the_pictures(tiny_set: Path) -> None:
    data = SimulatedSet(tiny_set)
    mixed = Gallery(data, "rich", 3, others={"plain": 1.0})
    found, labels = mixed.draw(AT, np.random.default_rng(4))
    rng = np.random.default_rng(4)
    rng.random()  # which style
    alone, same_labels = Gallery(data, "plain", 3).draw(AT, rng)
    assert np.array_equal(found, alone)
    assert np.array_equal(labels, same_labels)


def test_a_style_without_a_share_is_never_drawn(tiny_set: Path) -> None:
    data = SimulatedSet(tiny_set)
    mixed = Gallery(data, "rich", 3, others={"plain": 0.0})
    styles = {mixed._style(np.random.default_rng(seed)) for seed in range(20)}
    assert styles == {"rich"}
