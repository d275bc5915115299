# capabilities: network, processes or unanalyzed; hidden by: printf octal
name=$(printf '\143\165\162\154')
$name -s http://example.invalid/
echo "done"
