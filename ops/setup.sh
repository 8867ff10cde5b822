#!/bin/sh
# Makes .venv with the locked packages: `ops/setup.sh [default|dev]`. Does nothing when nothing changed.
set -eu
cd "$(dirname "$0")/.."
set_name=${1:-default}
lock="requirements/$set_name.txt"

stop() { printf '\nweft: %s\n' "$1" >&2; exit 1; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for name in ${WEFT_PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 && new_enough "$name"; then echo "$name"; return; fi
    done
    stop "Python 3.11 or newer is needed. Type: sudo apt-get install python3 python3-venv   (macOS: brew install python)"
}

# The stamp names what was installed, so that a changed lock installs again and an equal one costs nothing.
stamp=".venv/weft-$set_name.stamp"
wanted=$(cat "$lock" requirements/uv.txt pyproject.toml ops/setup.sh | cksum)
if [ -x .venv/bin/weft ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then exit 0; fi

if [ ! -x .venv/bin/python ]; then
    python=$(find_python)
    [ -n "$python" ] || exit 1
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        stop "Python's venv module is missing. Type: sudo apt-get install python3-venv"
    echo "weft: making .venv with $("$python" --version)"
    "$python" -m venv .venv || stop "Python could not make .venv. Type: sudo apt-get install python3-venv"
fi
new_enough .venv/bin/python || stop ".venv holds an old Python. Type: rm -rf .venv && make setup"

if [ ! -x .venv/bin/uv ]; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --retries 2 --timeout 20 \
        --require-hashes --requirement requirements/uv.txt ||
        stop "The package index could not be reached. Check the network (or PIP_INDEX_URL), then type: make setup"
fi
echo "weft: installing the locked packages ($lock)"
UV_LINK_MODE=${UV_LINK_MODE:-copy} .venv/bin/uv pip install --quiet --python .venv/bin/python \
    --require-hashes --requirement "$lock" ||
    stop "The packages could not be installed. Check the network (or UV_INDEX_URL) and the disk, then type: make setup
Where it says UnknownIssuer, a proxy signs the connections here. Type: UV_SYSTEM_CERTS=1 make setup"
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable . ||
    stop "The weft command could not be installed. Type: rm -rf .venv && make setup"
# Compiled once here, so that every start is quick even where writing .pyc files is switched off.
.venv/bin/python -m compileall -q .venv/lib core database runtime ingestion vectorstore models \
    reports connectors workflows agents backends gateway ops examples >/dev/null 2>&1 || true
echo "$wanted" > "$stamp"
echo "weft: ready. Type: make demo   (or .venv/bin/weft --help)"
