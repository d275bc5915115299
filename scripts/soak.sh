#!/usr/bin/env bash
# Runs JOBS jobs (default 100,000) at the level LEVEL (process, gvisor or vm; default process),
# CONCURRENCY at once (default 4), up to SHARE of them in the same sandbox (default 1), and compares
# what exists before and after. An interrupted soak goes on where it was when this is started again.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

place=$target_dir/soak/${LEVEL:-process}
mkdir -p "$place"
# Files of other programs in the usual place for temporary files are none of this one's.
export TMPDIR=$place
exec "$root/scripts/built.sh" atoll-soak --place "$place"
