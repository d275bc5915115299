#!/usr/bin/env bash
# Runs one of the programs that `make build` made: scripts/built.sh NAME [ARGUMENTS]...
set -euo pipefail
. "$(dirname "$0")/lib.sh"

name=$1
shift
[ -x "$built/$name" ] || die "$built/$name is not there: run make build"
exec "$built/$name" "$@"
