# capabilities: none; resembles: nothing
count=3
until [ "$count" -eq 0 ]; do
  echo "$count"
  count=$((count - 1))
done
