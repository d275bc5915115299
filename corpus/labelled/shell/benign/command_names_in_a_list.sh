# capabilities: none; resembles: variable
for name in curl wget nc ssh mount; do
  echo "tool: $name"
done
