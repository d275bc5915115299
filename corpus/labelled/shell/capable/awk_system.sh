# capabilities: processes; hidden by: awk program
set -e
awk 'BEGIN { system("echo ready") }'
echo "done"
