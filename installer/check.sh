#!/bin/sh
# Lint, formatting, types, direction of imports: runs all four, then fails if any failed.
set -u
cd "$(dirname "$0")/.."

bin="${VENV:-.venv}/bin"
failed=""

run() {
    name=$1
    shift
    echo "check: $name"
    "$@" || failed="$failed $name"
}

run lint "$bin/ruff" check --quiet .
run format "$bin/ruff" format --check --quiet .
run types "$bin/mypy" --no-error-summary
run types "$bin/mypy" --no-error-summary installer
run imports "$bin/lint-imports" --no-logo

if [ -n "$failed" ]; then
    echo "check: failed:$failed" >&2
    exit 1
fi
echo "check: all fine"
