#!/bin/sh
# venv.sh FOLDER EXTRA: make the virtual environment FOLDER unless it is there, and install Stepgate's sources into it
# with the extra EXTRA (see pyproject.toml). Started in the project's root. PYTHON names the interpreter (python3).
set -eu
. "$(dirname "$0")/debian.sh"

venv=$1
extra=$2
python=${PYTHON:-python3}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Stepgate needs Python 3.11 or later; \`$python\` is $("$python" -V 2>&1 || echo missing)." >&2
    echo "Name another one:  make PYTHON=python3.12 ..." >&2
    exit 1
fi

if ! [ -x "$venv/bin/pip" ]; then
    # Debian keeps the part of venv that installs pip in a package of its own.
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        install_packages "Python $version cannot make virtual environments without it" "python$version-venv"
    fi
    echo "Making the virtual environment $venv ..."
    "$python" -m venv "$venv"
fi

echo "Installing Stepgate [$extra] into $venv ..."
"$venv/bin/pip" install --quiet --disable-pip-version-check --editable ".[$extra]"
