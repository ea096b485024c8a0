#!/bin/sh
# Builds the browser code into web/dist, and does nothing when what is there was built from the same inputs.
#
#   web/build.sh
#
# Needs node 20.19 or newer with its npm. Where the machine has none, Node comes as a Python package, pinned by hash in
# web/node.lock, into web/.node: installed by .venv/bin/uv, else by uv on the PATH, else by pip. $UV and $PYTHON, absolute
# paths, name others. Nothing is written outside of web/, save to the caches of npm, uv and pip.
set -eu

cd "$(dirname "$0")"

stamp=dist/.inputs
installed_stamp=node_modules/.inputs

# One line per input with its checksum, size and name. The list itself is the stamp: POSIX has no better hash than
# cksum's 32 bits, and here they tell an edit from none, not friend from foe.
inputs() {
    find . \( -name node_modules -o -name dist -o -name .node \) -prune -o -type f -exec cksum {} + | LC_ALL=C sort
}

# What node_modules is made from: native packages make it differ between systems.
installed_inputs() {
    uname -sm
    cksum package.json package-lock.json .npmrc
}

is_node_usable() {
    command -v npm >/dev/null 2>&1 &&
        node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
            >/dev/null 2>&1
}

# The first of these commands that exists, or nothing.
first_of() {
    for candidate in "$@"; do
        if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
}

install_node() {
    echo "web: no node 20.19 or newer with npm here; taking the one of web/node.lock"
    rm -rf .node
    uv=$(first_of "${UV:-}" ../.venv/bin/uv uv)
    python=$(first_of "${PYTHON:-}" ../.venv/bin/python python3)
    if [ -n "$uv" ]; then
        "$uv" venv --quiet --no-python-downloads --python "$python" .node
        "$uv" pip install --quiet --python .node --require-hashes -r node.lock
    else
        "$python" -m venv .node
        .node/bin/pip install --quiet --require-hashes -r node.lock
    fi
}

use_node() {
    is_node_usable && return
    PATH="$PWD/.node/bin:$PATH"
    is_node_usable && cmp -s node.lock .node/lock && return
    install_node
    hash -r
    is_node_usable || { echo "web: found no usable node, and could not install one" >&2; exit 1; }
    cp node.lock .node/lock
}

now=$(inputs)
if [ -f "$stamp" ] && [ "$now" = "$(cat "$stamp")" ]; then
    exit 0
fi
rm -f "$stamp"

use_node
if [ ! -f "$installed_stamp" ] || [ "$(installed_inputs)" != "$(cat "$installed_stamp")" ]; then
    # No package of the lock has an install script that the build needs, so none may run.
    npm ci --ignore-scripts --loglevel=error
    installed_inputs >"$installed_stamp"
fi
npm run --silent build -- --logLevel warn
echo "$now" >"$stamp"
