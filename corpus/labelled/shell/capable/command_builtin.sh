# capabilities: network, processes; hidden by: command
set -e
command -p curl -s http://example.invalid/
echo "done"
