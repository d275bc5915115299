# capabilities: processes; resembles: xargs
printf '%s\n' eval sudo curl | xargs -n 1 echo word
echo "done"
