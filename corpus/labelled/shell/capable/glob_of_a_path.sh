# capabilities: network or unanalyzed, processes; hidden by: globbing of a command path
# finds the tool wherever it is
/usr/bin/cu?l -s http://example.invalid/
echo "done"
