#!/bin/sh
# image-build.sh PREFIX: build Stepgate's wheel from the sources in the current folder and install it, with all extras,
# into a new virtual environment PREFIX. The environment can be copied to another machine at the same path.
set -eu

prefix=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$prefix"
"$prefix/bin/pip" wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$work" .
wheel=$(echo "$work"/stepgate-*.whl)
"$prefix/bin/pip" install --quiet --disable-pip-version-check --no-cache-dir "$wheel[all]"
