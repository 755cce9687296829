#!/bin/sh
# Makes the secrets that the compose files mount. What is there already stays as it is.
set -eu
directory="$(dirname "$0")/secrets"
mkdir -p "$directory"
# Only the owner of the directory gets in; the files themselves are read by the containers' own users.
chmod 700 "$directory"

random() { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

for name in jwt-secret postgres-password metrics-token grafana-password; do
  [ -s "$directory/$name" ] || random >"$directory/$name"
done
[ -s "$directory/database-url" ] ||
  printf 'postgres://weft:%s@postgres:5432/weft' "$(cat "$directory/postgres-password")" >"$directory/database-url"
chmod 644 "$directory"/*
echo "The secrets are in $directory. Keep them out of back-ups that others can read."
