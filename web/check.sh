#!/bin/sh
# Looks through the browser code: its format, its lint, its types, and its documents by ../schema.graphql.
#
#   web/check.sh
set -eu

cd "$(dirname "$0")"
. ../scripts/node.sh

use_node
install_packages
npm run --silent check
