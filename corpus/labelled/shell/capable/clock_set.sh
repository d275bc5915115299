# capabilities: processes, system-change, time; hidden by: option
set -e
date -s '2001-01-01'
echo "done"
