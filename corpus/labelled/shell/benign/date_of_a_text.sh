# capabilities: processes, time; resembles: clock set
date -d '2001-01-01' +%A
echo "done"
