#!/bin/sh
# Make sure that the tests of the JavaScript client find what they are written with, in clients/js/node_modules.
set -eu
cd "$(dirname "$0")/../clients/js"

[ node_modules/.package-lock.json -nt package-lock.json ] && exit 0
npm ci --no-audit --no-fund --loglevel=error >/dev/null
