#!/bin/sh
# Runs every test. Widgets are drawn offscreen; a test that wants a real window finds an X server
# in DISPLAY: the user's own, or else one that lives as long as the tests.
set -eu
cd "$(dirname "$0")/.."

python="${VENV:-.venv}/bin/python"

if ! "$python" -c 'import PySide6.QtWidgets'; then
    echo "Qt cannot start, so the window cannot be tested. See 'haustra doctor'." >&2
    exit 1
fi

export QT_QPA_PLATFORM="${QT_QPA_PLATFORM:-offscreen}"

run() {
    if [ -z "${DISPLAY:-}" ] && command -v xvfb-run >/dev/null 2>&1; then
        xvfb-run --auto-servernum --server-args="-screen 0 1600x1000x24" \
            "$python" -m pytest "$@"
    else
        "$python" -m pytest "$@"
    fi
}

for argument in "$@"; do
    if [ -e "${argument%%::*}" ]; then
        run "$@"
        exit
    fi
done

# Two processes: as in use, the window's libraries and those of training never meet in one.
failed=0
run "$@" tests --ignore=tests/train || failed=1
run "$@" tests/train || failed=1
exit "$failed"
