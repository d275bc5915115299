# capabilities: none; resembles: files
if [ -z "$1" ]; then
  echo "no file named"
  exit 1
fi
echo "given"
