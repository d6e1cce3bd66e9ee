"""The ``stepgate`` command."""
