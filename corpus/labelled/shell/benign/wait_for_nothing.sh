# capabilities: none; resembles: background
wait
true && echo "nothing was started"
