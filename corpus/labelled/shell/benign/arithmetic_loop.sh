# capabilities: none; resembles: nothing
total=0
i=0
while [ "$i" -lt 10 ]; do
  total=$((total + i))
  i=$((i + 1))
done
echo "$total"
