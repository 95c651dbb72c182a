"""Segmenters as the paper and its rivals train them: simulated, translated or paired pictures."""
