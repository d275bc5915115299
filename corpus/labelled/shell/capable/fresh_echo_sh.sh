# capabilities: dynamic-code, processes; hidden by: pipe into a shell
printf 'echo ready\n' | dash
echo "done"
