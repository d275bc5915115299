# capabilities: network, processes or unanalyzed; hidden by: default expansion
${FETCHER:-curl} -s http://example.invalid/
echo "done"
