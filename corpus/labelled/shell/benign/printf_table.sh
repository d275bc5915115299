# capabilities: none; resembles: printf octal
printf '%-10s %5d\n' eval 3
printf '%s\n' 'curl' "sudo"
printf '\tindented\n'
