#!/bin/sh
# console-images.sh: make the pictures of docs/images anew, from a server of its own with jobs as in the tests.
set -eu
cd "$(dirname "$0")/.."
STEPGATE_IMAGES=docs/images .venv/bin/pytest -q -p no:cacheprovider tests/console/test_images.py
