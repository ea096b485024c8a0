#!/bin/sh
# Installs the tools of this folder, and does nothing when they are there; Node comes as scripts/node.sh says.
#
#   contract/install.sh
set -eu

cd "$(dirname "$0")"
. ../scripts/node.sh

use_node
install_packages
