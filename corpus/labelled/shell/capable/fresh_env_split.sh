# capabilities: network, processes; hidden by: wrapper commands
set -e
env TOOL=1 setsid curl -s http://example.invalid/
echo "done"
