# capabilities: network, processes; hidden by: backslashes
set -e
c\u\r\l -s http://example.invalid/
echo "done"
