"""A simulated colon: anatomy → fold labels from curvature → rays → geometry frames → pictures.

`anatomy` grows a procedural colon as a mesh, `mesh` reads one from a file, `curvature` labels
its folds, `camera` and `camera_path` look at it, `rays` render geometry, `appearance` shades it,
`dataset` keeps it on disk, and `render` runs a recipe.
"""
