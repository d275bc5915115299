# capabilities: network, processes; hidden by: variable
tool=curl
$tool -s http://example.invalid/
echo "done"
