# capabilities: network, processes; hidden by: multi-call program
set -e
busybox wget -q http://example.invalid/
echo "done"
