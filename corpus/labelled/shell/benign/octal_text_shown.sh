# capabilities: none; resembles: printf octal
printf '\110\151\n'
echo "shown, never run"
