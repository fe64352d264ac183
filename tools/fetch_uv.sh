#!/bin/sh
# Install uv into the folder named by the first argument, from the package index that pip is configured for.
# Needs nothing but a Python 3.11 or newer that can make virtual environments or has pip.
set -eu

target=$1

python=
for candidate in python3 python3.11 python3.12 python3.13 python3.14 python3.15 python; do
    # It has to run, not just to exist: pyenv's and Windows' placeholders exist and fail.
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "error: no Python 3.11 or newer among python3, python3.11 ... python3.15 on PATH." >&2
    echo "Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python)," >&2
    echo "or install uv itself, which brings its own: https://docs.astral.sh/uv/" >&2
    exit 1
fi

rm -rf "$target"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

echo "fetching uv into $target/ with $python" >&2
if "$python" -m venv "$target" >"$log" 2>&1; then
    if "$target/bin/python" -m pip install --quiet uv >>"$log" 2>&1; then
        exit 0
    fi
elif "$python" -m pip --version >>"$log" 2>&1; then
    # Debian's python3 without python3-venv has no ensurepip, but may have pip.
    rm -rf "$target"
    if "$python" -m pip install --quiet --target "$target" uv >>"$log" 2>&1; then
        exit 0
    fi
else
    rm -rf "$target"
    cat "$log" >&2
    echo "error: $python can neither make a virtual environment nor has it pip." >&2
    echo "Install them (Debian, Ubuntu: apt install python3-venv), or uv itself: https://docs.astral.sh/uv/" >&2
    exit 1
fi
rm -rf "$target"
cat "$log" >&2
echo "error: pip could not install uv. Is the package index reachable (pip config list; pip download uv)?" >&2
exit 1
