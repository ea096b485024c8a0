#!/bin/sh
# Runs the unit tests of the browser code; what it does in a browser is tested in tests/console and tests/web.
#
#   web/test.sh [arguments of vitest]
set -eu

cd "$(dirname "$0")"
. ../scripts/node.sh

use_node
install_packages
npm run --silent test -- "$@"
