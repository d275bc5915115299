# capabilities: processes, time; hidden by: nothing
for round in 1 2 3; do
  sleep 0
done
echo "$round"
