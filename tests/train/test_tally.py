from __future__ import annotations

import math
from pathlib import Path

import pytest

from engine.errors import RecipeError, RecordingError
from train.__main__ import main
from train.tally import (
    FAILURES,
    NONE,
    TallyLine,
    counts,
    paired_p,
    read_tally,
    tally_table,
    write_tally,
)

HEAD = "frame,file,failures,note\n"


def _noted(*failures: str | None) -> list[TallyLine]:
    return [
        TallyLine(n, f"{n}.jpg", None if said is None else frozenset(said.split()))
        for n, said in enumerate(failures, 1)
    ]


def test_a_new_tally_lists_the_frames_and_nothing_was_looked_at(tmp_path: Path) -> None:
    write_tally(tmp_path / "new" / "tally.csv", ["a, b.jpg", "c.jpg"])
    assert read_tally(tmp_path / "new" / "tally.csv") == [
        TallyLine(1, "a, b.jpg"),
        TallyLine(2, "c.jpg"),
    ]


def test_a_tally_with_a_persons_notes_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "tally.csv"
    path.write_text(HEAD + "1,a.jpg,rim,\n")
    with pytest.raises(RecordingError, match="would be lost"):
        write_tally(path, ["a.jpg"])
    assert "rim" in path.read_text()


def test_failures_are_read_however_a_spreadsheet_saves_them(tmp_path: Path) -> None:
    path = tmp_path / "tally.csv"
    path.write_text(
        HEAD + '1,a.jpg,"Rim, highlight",glare\n2,b.jpg,none,\n3,c.jpg,,\n', "utf-8-sig"
    )
    found = [line.failures for line in read_tally(path)]
    assert found == [frozenset({"rim", "highlight"}), frozenset(), None]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "1,a.jpg,smudge,\n", "'smudge' is no failure"),
        (HEAD + "1,a.jpg,none rim,\n", "beside a failure"),
        (HEAD + "one,a.jpg,rim,\n", "frame 'one'"),
        ("name,what\nx,y\n", "no tally"),
        ("", "no tally"),
    ],
)
def test_what_is_no_tally_is_explained(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(RecipeError, match=said):
        read_tally(tmp_path / "t.csv")


def test_frames_that_nobody_looked_at_do_not_count() -> None:
    found = counts(_noted("rim", "rim tool", "", None))
    assert (found["rim"].frames, found["tool"].frames, found[NONE].frames) == (2, 1, 1)
    assert {each.looked_at for each in found.values()} == {3}


def test_the_interval_of_no_failure_in_ten_frames_reaches_up() -> None:
    share = counts(_noted(*[""] * 10))["rim"].share
    # Clopper & Pearson: 1 - (0.025)^(1/10).
    assert (share.value, share.low) == (0.0, 0.0)
    assert share.high == pytest.approx(0.3085, abs=1e-4)


def test_the_table_has_a_row_a_failure_and_a_column_a_tally() -> None:
    table = tally_table({"old": _noted("rim", ""), "new": _noted("", None)}).splitlines()
    assert len(table) == 2 + len(FAILURES) + 2
    assert table[0] == "| failure | old | new | p |"
    assert table[-1] == "| frames looked at | 2 of 2 | 1 of 2 |  |"


def test_the_paired_test_by_hand() -> None:
    # Lost in five frames, gained in none: 2 / 2^5. A frame without a partner does not count.
    old, new = _noted(*["rim"] * 5, "rim", "rim"), _noted(*[""] * 5, "rim", None)
    assert paired_p(old, new, "rim") == pytest.approx(2 / 32)
    assert paired_p(old, new, "far") == 1.0
    assert math.isnan(paired_p(old, [], "rim"))


def test_the_verb_prints_what_was_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text(HEAD + "1,a.jpg,far,\n")
    assert main(["tally", str(tmp_path / "t.csv")]) == 0
    assert "a dim far fold is missed | 1: 1.000" in capsys.readouterr().out
    assert main(["tally", str(tmp_path / "nowhere.csv")]) == 2
