#!/bin/sh
# Writes .env from .env.example, with a secret of 32 random bytes, in hexadecimal, for each line that has none yet.
#
#   sh scripts/make-env.sh
#
# Only its owner may read the file. One that is there is left as it is.
set -eu

cd "$(dirname "$0")/.."
umask 077

if [ -e .env ]; then
    echo ".env is there already" >&2
    exit 1
fi

secret() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

while IFS= read -r line; do
    case $line in
        '#'* | '') echo "$line" ;;
        *=) echo "$line$(secret)" ;;
        *) echo "$line" ;;
    esac
done <.env.example >.env.new
mv .env.new .env
echo "wrote .env"
