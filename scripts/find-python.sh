#!/bin/sh
# Prints the first Python from 3.11 to 3.13 on PATH. A name that is there but does not run
# (a version manager's shim of a version that is not chosen) is passed over.
for name in python3 python3.13 python3.12 python3.11 python; do
  if "$name" -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
    echo "$name"
    exit 0
  fi
done
echo "Colloquy needs Python 3.11, 3.12 or 3.13 with its venv module; none was found on PATH" >&2
exit 1
