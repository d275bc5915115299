#!/bin/bash
# capabilities: none; resembles: nothing
set -euo pipefail
shopt -s nullglob
echo "strict"
