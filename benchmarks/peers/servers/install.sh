#!/bin/sh
# Installs the servers to compare with, and a Node new enough for PostGraphile, from npm: half a gigabyte, into
# node_modules, which is ignored. Does nothing when they are there; the npm that does it comes as scripts/node.sh says.
#
#   benchmarks/peers/servers/install.sh
set -eu

cd "$(dirname "$0")"
project=../../..
. "$project/scripts/node.sh"

use_node
install_packages
