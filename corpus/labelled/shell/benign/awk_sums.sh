# capabilities: processes; resembles: awk program
printf '1\n2\n' | awk '{ total += $1 } END { print total }'
echo "done"
