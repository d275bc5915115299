# capabilities: processes, system-change; hidden by: command
set -e
command swapoff -a
echo "done"
