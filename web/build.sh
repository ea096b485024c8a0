#!/bin/sh
# Builds the browser code into web/dist, and does nothing when what is there was built from the same inputs.
#
#   web/build.sh
#
# Node and its packages come as scripts/node.sh says.
set -eu

cd "$(dirname "$0")"
. ../scripts/node.sh

stamp=dist/.inputs

# One line per input with its checksum, size and name. The list itself is the stamp: POSIX has no better hash than
# cksum's 32 bits, and here they tell an edit from none, not friend from foe.
inputs() {
    find . ../scripts/node.sh ../schema.graphql \( -name node_modules -o -name dist -o -name .node \) -prune -o \
        -type f ! -name "*.generated.ts" -exec cksum {} + | LC_ALL=C sort
}

now=$(inputs)
if [ -f "$stamp" ] && [ "$now" = "$(cat "$stamp")" ]; then
    exit 0
fi
rm -f "$stamp"

use_node
install_packages
npm run --silent build
echo "$now" >"$stamp"
