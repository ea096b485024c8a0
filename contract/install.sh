#!/bin/sh
# Installs the tools of this folder, and does nothing when they are there; Node comes as scripts/node.sh says.
#
#   contract/install.sh
set -eu

cd "$(dirname "$0")"
. ../scripts/node.sh

use_node
install_packages

# ariadne-codegen needs an older graphql-core than the server: it has packages of its own.
if ! cmp -s ariadne.lock .venv/installed; then
    ../.venv/bin/uv venv --quiet --clear --python ../.venv/bin/python .venv
    ../.venv/bin/uv pip install --quiet --python .venv --require-hashes -r ariadne.lock
    cp ariadne.lock .venv/installed
fi
