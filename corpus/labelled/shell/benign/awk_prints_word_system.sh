# capabilities: processes; resembles: awk program
printf 'a b\n' | awk '{ print "the system (" $1 ")" }'
echo "done"
