# capabilities: network, processes; hidden by: xargs
printf '%s\n' a b c | xargs -n 1 curl -s -o /dev/null
echo "done"
