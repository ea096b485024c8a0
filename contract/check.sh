#!/bin/sh
# Holds the schema to what is promised of it: the linter's rules, and that no client of its release breaks.
#
#   contract/check.sh
set -eu

cd "$(dirname "$0")"
. ../scripts/node.sh

use_node
install_packages
(cd .. && contract/node_modules/.bin/eslint --config contract/eslint.config.js schema.graphql contract/operations)
node changes.js check
