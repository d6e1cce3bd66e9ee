#!/bin/sh
# Make sure that the benchmarks' load generator, which is written in C, can be compiled.
set -eu
. "$(dirname "$0")/debian.sh"

for compiler in "${CC:-cc}" gcc; do
    if command -v "$compiler" >/dev/null 2>&1 && echo '#include <sys/epoll.h>' | "$compiler" -fsyntax-only -xc - 2>/dev/null; then
        exit 0
    fi
done
install_packages "The load generator of the benchmarks is compiled when they run" gcc libc6-dev
