# capabilities: network, processes or unanalyzed; hidden by: command substitution
$(echo curl) -s http://example.invalid/
echo "done"
