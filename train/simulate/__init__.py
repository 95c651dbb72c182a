"""A simulated colon: anatomy → fold labels from curvature → rays → geometry frames → pictures.

`anatomy` grows a procedural colon as a mesh (`segments`, `course`, `wall`, `landmarks`, `pools`),
`motion` moves it, `morphometry` and `distributions` measure it; `mesh` reads one
from a file (`surface`, `volume`, `centreline`). `curvature` finds the
crests of its folds, `folds` divides them, `agreement` holds them against the truth.
`camera` looks at it, from the scattered places of `camera_path` or along
an `examination` (`manoeuvres`, `steering`, `lumen`, `clearance`; `itinerary` draws it), `rays`
cast, `coverage` keeps account of what was seen, `appearance` shades in one of the `looks`.
`render` makes one sequence, `farm` a whole set, `dataset` reads it back, and `layouts` exchanges it
with others.
"""
