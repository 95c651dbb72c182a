"""The styles of `train.simulate.appearance.STYLES`, one a module."""
