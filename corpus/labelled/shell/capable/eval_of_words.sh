# capabilities: dynamic-code, network, processes; hidden by: eval
part='http://example.invalid/'
eval curl -s http://example.invalid/
echo "$part"
