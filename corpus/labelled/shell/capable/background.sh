# capabilities: processes; hidden by: nothing
work() { echo "working"; }
work &
wait
