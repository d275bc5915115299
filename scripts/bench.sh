#!/usr/bin/env bash
# Measures this build on this machine: the decision's own cost, then a whole run beside bubblewrap
# and bare Python, then sandboxes that wait beside processes that are started, one after the other
# in the same minutes.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

say "Machine: $(nproc) cores, $(uname -sr), load $(cut -d' ' -f1 /proc/loadavg)"
"$built/atoll" bench loop
"$built/atoll" bench run
"$built/atoll" bench process
