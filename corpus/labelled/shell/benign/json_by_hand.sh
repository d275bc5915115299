# capabilities: none; resembles: nothing
name=exec
value=3
printf '{"%s": %d}\n' "$name" "$value"
