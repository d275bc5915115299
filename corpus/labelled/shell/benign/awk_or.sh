# capabilities: processes; resembles: awk program
printf '%s\n' 1 2 3 | awk '$1 == 1 || $1 == 3 { print "a|b" }'
echo "done"
