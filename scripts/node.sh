# Node and its packages for a folder with browser code or tools: read by its script, in that folder. One further down
# says before where the project's folder is, as seen from there: project=../../..
#
#   . ../scripts/node.sh
#   use_node              # a usable node and npm are on the PATH from here on
#   install_packages      # node_modules is what package-lock.json names
#
# Needs node 22.22 or newer with its npm. Where the machine has none, Node comes as a Python package, pinned by hash in
# web/node.lock, into web/.node: installed by .venv/bin/uv, else by uv on the PATH, else by pip. $UV and $PYTHON,
# absolute paths, name others. Nothing is written outside of the project, save to the caches of npm, uv and pip.

project=${project:-..}
node_lock=$project/web/node.lock
own_node=$project/web/.node

is_node_usable() {
    command -v npm >/dev/null 2>&1 &&
        node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 22) ? 0 : 1)' \
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
    echo "no node 22.22 or newer with npm here; taking the one of web/node.lock"
    rm -rf "$own_node"
    uv=$(first_of "${UV:-}" "$project/.venv/bin/uv" uv)
    python=$(first_of "${PYTHON:-}" "$project/.venv/bin/python" python3)
    if [ -n "$uv" ]; then
        "$uv" venv --quiet --no-python-downloads --python "$python" "$own_node"
        "$uv" pip install --quiet --python "$own_node" --require-hashes -r "$node_lock"
    else
        "$python" -m venv "$own_node"
        "$own_node/bin/pip" install --quiet --require-hashes -r "$node_lock"
    fi
}

use_node() {
    is_node_usable && return
    PATH="$(cd "$project/web" && pwd)/.node/bin:$PATH"
    is_node_usable && cmp -s "$node_lock" "$own_node/lock" && return
    install_node
    hash -r
    is_node_usable || { echo "found no usable node, and could not install one" >&2; exit 1; }
    cp "$node_lock" "$own_node/lock"
}

# What node_modules is made from: native packages make it differ between systems.
installed_inputs() {
    uname -sm
    cksum package.json package-lock.json .npmrc
}

install_packages() {
    if [ ! -f node_modules/.inputs ] || [ "$(installed_inputs)" != "$(cat node_modules/.inputs)" ]; then
        # No package of the locks has an install script that is needed, so none may run.
        npm ci --ignore-scripts --loglevel=error
        installed_inputs >node_modules/.inputs
    fi
}
