"""``python -m app`` is the ``stepgate`` command."""

from app.cli import main

if __name__ == "__main__":
    main()
