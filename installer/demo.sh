#!/bin/sh
# Shows Haustra at work on the bundled clip: in a window, or as files where there is no display.
set -eu
cd "$(dirname "$0")/.."

bin="${VENV:-.venv}/bin"
out=demo-output

has_display() {
    [ "$(uname -s)" != Linux ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]
}

if has_display; then
    if "$bin/python" -c 'import PySide6.QtWidgets'; then
        exec "$bin/haustra"
    fi
    echo "Qt cannot start here ('$bin/haustra doctor' says why); making files instead." >&2
else
    echo "No display here; making files instead."
fi

mkdir -p "$out"
clip=$("$bin/python" -c 'import resources; print(resources.DEMO_CLIP)')
"$bin/haustra" overlay "$clip" -o "$out/folds.mp4" --table "$out/folds.json"
"$bin/python" installer/still.py "$out/folds.mp4" "$out/folds.json" "$out/folds.png"
echo "Video:   $out/folds.mp4"
echo "Picture: $out/folds.png"
