#!/bin/sh
# Fetches graphql-core's own tests into build/graphql-core, and does nothing when those of the locked version are there.
#
#   tests/graph/executor/upstream/fetch.sh
#
# They are in its source distribution alone, whose hash requirements.lock has. Needs .venv and the package index.
set -eu

cd "$(dirname "$0")/../../../.."
target=build/graphql-core

locked=$(sed -n '/^graphql-core==/,/[^\\]$/p' requirements.lock | sed '/^ *#/d')
if [ -f "$target/.locked" ] && [ "$locked" = "$(cat "$target/.locked")" ]; then
    exit 0
fi

rm -rf "$target"
mkdir -p "$target/fetched"
echo "$locked" >"$target/wanted.txt"
# Built by what .venv has, as far as pip must know its name: what would build it elsewhere is not fetched.
PATH="$PWD/.venv/bin:$PATH" .venv/bin/python -m pip download --quiet --disable-pip-version-check --no-deps \
    --no-binary graphql-core --no-build-isolation --require-hashes -r "$target/wanted.txt" --dest "$target/fetched"
tar -xzf "$target"/fetched/graphql_core-*.tar.gz -C "$target" --strip-components 1
rm -r "$target/fetched" "$target/src" "$target/docs"
echo "$locked" >"$target/.locked"
