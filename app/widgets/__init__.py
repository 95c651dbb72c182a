"""The window's views: setters in, signals out. None of them knows the pipeline."""
