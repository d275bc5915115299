# capabilities: processes; resembles: awk program
echo "system exec" | awk -F' ' '{ print $2, $1 }'
echo "done"
