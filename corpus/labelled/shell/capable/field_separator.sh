# capabilities: network, processes or unanalyzed; hidden by: $IFS
set -u
curl${IFS}-s${IFS}http://example.invalid/
echo "done"
