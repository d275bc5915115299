# capabilities: processes; hidden by: nothing
self=$$
kill -0 "$self"
echo "alive"
