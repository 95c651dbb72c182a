"""MOTA, IDF1 and HOTA by hand."""

from collections.abc import Mapping

import numpy as np
import pytest

from train.tracking.scores import Scores, clear, hota, identity
from train.tracking.sightings import Sighting


def sighting(iou: Mapping[tuple[int, int], float], truths: str = "", tracks: str = "") -> Sighting:
    """IoU by (truth, track); `truths` and `tracks` name those that meet nothing."""
    rows = sorted({truth for truth, _ in iou} | {int(each) for each in truths})
    columns = sorted({track for _, track in iou} | {int(each) for each in tracks})
    table = [[iou.get((row, column), 0.0) for column in columns] for row in rows]
    shape = len(rows), len(columns)
    return Sighting(
        np.array(rows, np.int64), np.array(columns, np.int64), np.array(table).reshape(shape)
    )


def test_mota_by_hand() -> None:
    seen = [
        sighting({(1, 1): 0.9}, truths="2"),
        sighting({(1, 1): 0.8, (2, 2): 0.4}),
        sighting({(1, 3): 0.9}, truths="2", tracks="4"),
    ]
    counts = clear(seen)
    # Truths 6; fold 2 missed thrice; tracks 2 and 4 false; fold 1 goes from track 1 to 3.
    assert (counts.truths, counts.missed, counts.false, counts.switches) == (6, 3, 2, 1)
    assert counts.mota == pytest.approx(1 - 6 / 6)


def test_a_pair_goes_on_although_another_overlaps_more() -> None:
    seen = [sighting({(1, 1): 0.9}), sighting({(1, 1): 0.55, (1, 2): 0.7})]
    assert clear(seen).switches == 0


def test_a_track_that_comes_back_after_a_loss_is_no_switch_but_a_fragmentation() -> None:
    seen = [sighting({(1, 1): 0.9}), sighting({}, truths="1"), sighting({(1, 1): 0.9})]
    assert (clear(seen).switches, clear(seen).fragmentations) == (0, 1)


def test_a_fold_that_was_out_of_view_is_no_fragmentation() -> None:
    seen = [sighting({(1, 1): 0.9}), sighting({}), sighting({(1, 2): 0.9})]
    assert (clear(seen).switches, clear(seen).fragmentations) == (1, 0)


def test_idf1_by_hand() -> None:
    seen = [sighting({(1, 1): 0.9})] * 3 + [sighting({(1, 2): 0.9})] * 2
    counts = identity(seen)
    # Track 1 is fold 1's for 3 of its 5 frames; 5 frames of tracks.
    assert (counts.right, counts.truths, counts.found) == (3, 5, 5)
    assert counts.idf1 == pytest.approx(0.6)


def test_identities_are_matched_so_that_most_frames_are_right() -> None:
    seen = [sighting({(1, 1): 0.9, (2, 2): 0.9})] * 2 + [sighting({(2, 1): 0.9})] * 3
    # Fold 1 with 1 and 2 with 2 is right in 4 frames; fold 2 with 1 alone in 3.
    assert identity(seen).right == 4


def test_hota_of_a_track_that_breaks_by_hand() -> None:
    seen = [sighting({(1, 1): 1.0})] * 2 + [sighting({(1, 2): 1.0})] * 2
    counts = hota(seen)
    # Every detection is right; A(c) = 2 / (4 + 2 - 2).
    assert counts.detection == pytest.approx(1.0)
    assert counts.associated == pytest.approx(0.5)
    assert counts.hota == pytest.approx(np.sqrt(0.5))


def test_hota_counts_only_alphas_that_the_overlap_reaches() -> None:
    counts = hota([sighting({(1, 1): 0.62})])
    # 0.05, 0.10, ..., 0.60 are twelve of nineteen.
    assert counts.right.sum() == 12
    assert counts.hota == pytest.approx(12 / 19)


def test_hota_by_hand_with_a_miss_and_a_false_track() -> None:
    seen = [sighting({(1, 1): 1.0}), sighting({}, truths="1", tracks="2")]
    counts = hota(seen)
    # TP 1, FN 1, FP 1; A(c) = 1 / (2 + 1 - 1).
    assert counts.detection == pytest.approx(1 / 3)
    assert counts.associated == pytest.approx(1 / 2)
    assert counts.hota == pytest.approx(np.sqrt(1 / 6))


def test_hota_prefers_the_pair_that_belongs_together_over_the_sequence() -> None:
    seen = [sighting({(1, 1): 0.8})] * 9 + [sighting({(1, 1): 0.5, (1, 2): 0.7})]
    counts = hota(seen, np.array([0.5]))
    assert counts.association == pytest.approx([10.0])


def test_scores_of_two_sequences_add_up() -> None:
    seen = [sighting({(1, 1): 1.0})] * 2 + [sighting({(1, 2): 1.0})] * 2
    both = Scores.sum([Scores.of(seen), Scores.of(seen)])
    assert (both.clear.truths, both.clear.switches, both.identity.right) == (8, 2, 4)
    assert both.hota.hota == pytest.approx(np.sqrt(0.5))
