# capabilities: dynamic-code, processes; hidden by: xargs
echo 'ready' | xargs -I{} sh -c 'echo {}'
echo "done"
