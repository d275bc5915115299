# capabilities: none; resembles: command
if command -v curl > /dev/null; then
  echo "curl is here"
fi
