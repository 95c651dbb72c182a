"""The desktop window and the headless verbs of the ``haustra`` command."""
