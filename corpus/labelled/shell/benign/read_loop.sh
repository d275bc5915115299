# capabilities: none; resembles: read
while read -r name value; do
  echo "$name=$value"
done
