#!/bin/sh
# Makes the virtual environment and installs Haustra into it, at the versions tested together.
#
#   installer/environment.sh runtime      what the application needs; no torch
#   installer/environment.sh dev          that, and what training and the tests need
#
# PYTHON names the interpreter to use (3.11 to 3.13), VENV the folder (default .venv).
set -eu
cd "$(dirname "$0")/.."

venv=${VENV:-.venv}

stop() {
    echo "$1" >&2
    exit 1
}

fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

can_make_environments() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

choose_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if fits "$candidate" && can_make_environments "$candidate"; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

explain_no_python() {
    named=${PYTHON:-python3}
    if ! found=$("$named" --version 2>&1); then
        stop "'$named' does not run. Install Python 3.11, 3.12 or 3.13, or name one: make PYTHON=..."
    elif fits "$named"; then
        stop "$found cannot make virtual environments. Install its venv module (Debian: apt-get install -y python3-venv)."
    fi
    stop "$found does not fit: Haustra needs Python 3.11, 3.12 or 3.13. Name one: make PYTHON=python3.12"
}

make_environment() {
    if [ -x "$venv/bin/python" ] && fits "$venv/bin/python"; then
        return 0
    fi
    if ! python=$(choose_python) && [ -z "${PYTHON:-}" ]; then
        installer/packages.sh python
        python=$(choose_python) || python=""
    fi
    [ -n "$python" ] || explain_no_python
    echo "Making $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
}

case "${1:-}" in
    runtime) target="." size="about 500 MB" ;;
    dev) target=".[dev]" size="about 2 GB, torch included" ;;
    *) stop "usage: installer/environment.sh runtime|dev" ;;
esac

make_environment
echo "Installing Haustra ($1: $size) into $venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --constraint constraints.txt --editable "$target"
touch "$venv/haustra-runtime.stamp" "$venv/haustra-$1.stamp"
