# capabilities: none; resembles: trap
trap 'echo "left"' EXIT
trap - INT
echo "inside"
