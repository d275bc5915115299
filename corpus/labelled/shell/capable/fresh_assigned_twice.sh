# capabilities: network, processes or unanalyzed; hidden by: variable
tool=cu
tool=${tool}rl
$tool -s http://example.invalid/
