# capabilities: none; resembles: nothing
if [ "$#" -gt 1 ] && [ "$1" != "$2" ]; then
  echo "different"
else
  echo "same"
fi
