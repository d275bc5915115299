# capabilities: processes; hidden by: sed program
set -e
echo 'echo ready' | sed 's/^//e'
echo "done"
