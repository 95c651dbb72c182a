#!/bin/sh
# Sees to the Debian packages that Haustra needs for the named purposes.
#
#   installer/packages.sh PURPOSE...      purposes: python window tests (see debian-packages.txt)
#
# Root: installs what is missing, and nothing else. Not root: names it in one line and exits 0,
# because much of Haustra works without a window. Not Debian: does nothing.
set -eu

list="$(dirname "$0")/debian-packages.txt"
log="${TMPDIR:-/tmp}/haustra-packages.$$.log"

command -v dpkg-query >/dev/null 2>&1 || exit 0

is_installed() {
    for name in "$1" "$1t64"; do
        status=$(dpkg-query -W -f='${Status}' "$name" 2>/dev/null) || continue
        [ "$status" = "install ok installed" ] && return 0
    done
    return 1
}

missing_packages() {
    for purpose in "$@"; do
        sed -n "s/^$purpose  *//p" "$list" | while read -r package; do
            is_installed "$package" || printf '%s ' "$package"
        done
    done
}

install_packages() {
    DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >>"$log" 2>&1
}

missing=$(missing_packages "$@")
missing=${missing% }
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "Missing Debian packages; install them with: sudo apt-get install -y $missing" >&2
    exit 0
fi

echo "Installing Debian packages: $missing"
trap 'rm -f "$log"' EXIT
# The package lists of a fresh machine are empty, so the first attempt may fail for that alone.
# shellcheck disable=SC2086  # one word per package is what apt-get wants
if ! install_packages $missing; then
    apt-get update -qq >>"$log" 2>&1 || true
    install_packages $missing || {
        tail -n 5 "$log" >&2
        echo "apt-get could not install them. Install by hand: apt-get install -y $missing" >&2
        exit 1
    }
fi
