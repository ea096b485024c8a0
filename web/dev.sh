#!/bin/sh
# Serves the console from its sources on http://127.0.0.1:5173, where a page that one changes reloads by itself. What it
# asks for goes to the server on http://127.0.0.1:8000, which is to run beside it.
#
#   web/dev.sh
set -eu

cd "$(dirname "$0")"
. ../scripts/node.sh

use_node
install_packages
exec npm run --silent dev
