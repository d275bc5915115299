# capabilities: dynamic-code, network, processes; hidden by: eval
job='curl -s http://example.invalid/'
eval "$job"
echo "done"
