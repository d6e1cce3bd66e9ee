#!/bin/sh
# Make sure that the tests find what they start: Redis, HAProxy, PostgreSQL (from PATH or Debian's folders), clocks that
# can be set for one process, a C compiler, Node.js and npm, Chromium.
set -eu
. "$(dirname "$0")/debian.sh"

has_postgres() {
    command -v initdb >/dev/null 2>&1 && return 0
    for program in /usr/lib/postgresql/*/bin/initdb; do
        [ -x "$program" ] && return 0
    done
    return 1
}

has_chromium() {
    for program in chromium chromium-browser google-chrome; do
        command -v "$program" >/dev/null 2>&1 && return 0
    done
    return 1
}

missing=
command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
command -v haproxy >/dev/null 2>&1 || [ -x /usr/sbin/haproxy ] || missing="$missing haproxy"
has_postgres || missing="$missing postgresql"
command -v faketime >/dev/null 2>&1 || missing="$missing faketime"
if ! command -v node >/dev/null 2>&1; then
    missing="$missing nodejs npm"
elif ! command -v npm >/dev/null 2>&1; then
    missing="$missing npm"
fi
has_chromium || missing="$missing chromium"
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086 # a list of words
    install_packages "The tests run against real servers" $missing
fi

# One test compiles the load generator of the benchmarks and tries it.
"$(dirname "$0")/bench-needs.sh"

# The JavaScript client's tests import a websocket and the TypeScript compiler.
"$(dirname "$0")/js-needs.sh"
