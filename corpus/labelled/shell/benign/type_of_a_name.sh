# capabilities: none; resembles: eval
type eval > /dev/null && echo "built in"
echo "done"
