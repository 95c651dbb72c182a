"""How well folds keep their identity over time, on simulated video with known folds.

`sightings` compares one frame, `scores` a sequence, `consistency` a mask with the one before;
`inputs` makes what a tracker is given, `naive` is the tracker to beat, `following` runs one on a
clip; `study` runs all, `report` prints and `strip` draws.
"""
