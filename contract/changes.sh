#!/bin/sh
# Tells what has changed in the schema since its release, or releases it; changes.js says how.
#
#   contract/changes.sh write
#   contract/changes.sh release 0.2.0
set -eu

cd "$(dirname "$0")"
. ../scripts/node.sh

use_node
install_packages
node changes.js "$@"
