"""Offline: simulated colons, training, evaluation and export of model bundles."""
