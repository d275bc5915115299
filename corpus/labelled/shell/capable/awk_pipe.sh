# capabilities: processes; hidden by: awk program
set -e
awk 'BEGIN { "id" | getline who; print who }'
echo "done"
