# Sourced by the other scripts: install Debian packages when this process may, name them when it may not.

# may_install: tell whether packages can be installed from here.
may_install() {
    [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1
}

# install_packages WHY PACKAGE...: install the packages, or say what to install, to which end, and fail.
install_packages() {
    why=$1
    shift
    if ! may_install; then
        echo "Missing: $*" >&2
        echo "$why. Install it and run the same command again, on Debian:  sudo apt-get install $*" >&2
        return 1
    fi
    echo "Installing $* ..."
    keep_services_stopped
    if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"; }; then
        echo "Could not install: $*. $why." >&2
        return 1
    fi
}

# keep_services_stopped: packages of servers start them when installed; the tests start their own, so nobody asked.
keep_services_stopped() {
    policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] && return 0
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}
