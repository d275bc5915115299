# capabilities: network, processes; hidden by: positional parameters
set -- curl -s http://example.invalid/
"$@"
echo "done"
