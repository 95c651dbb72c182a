#!/bin/sh
# Shows Haustra at work on the bundled clip: in a window, or as files where there is no display.
set -eu
cd "$(dirname "$0")/.."

bin="${VENV:-.venv}/bin"
out=demo-output

has_display() {
    [ "$(uname -s)" != Linux ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]
}

can_open_windows() {
    "$bin/python" -c 'import sys; from app.checkup import check_display
sys.exit(not check_display().facts["opens"])'
}

if has_display; then
    if can_open_windows; then
        exec "$bin/haustra"
    fi
    echo "Qt cannot open a window ('$bin/haustra doctor' says why); making files instead." >&2
else
    echo "No display here; making files instead."
fi

mkdir -p "$out"
clip=$("$bin/python" -c 'import resources; print(resources.DEMO_CLIP)')
"$bin/haustra" overlay "$clip" -o "$out/folds.mp4" --table "$out/folds.json"
"$bin/python" installer/still.py "$out/folds.mp4" "$out/folds.json" "$out/folds.png"
echo "Video:   $out/folds.mp4"
echo "Picture: $out/folds.png"
