# capabilities: network or unanalyzed, processes; hidden by: empty expansions
cu$@rl -s http://example.invalid/
wg${unset_name}et -q http://example.invalid/
echo "done"
