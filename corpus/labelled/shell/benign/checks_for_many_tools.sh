# capabilities: none; resembles: command
for tool in curl git sudo; do
  command -v "$tool" > /dev/null || echo "$tool is missing"
done
