"""The runtime: reads endoscopic video, finds haustral folds in it, and paints them. No torch."""
