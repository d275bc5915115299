# capabilities: none; resembles: variable
tool="sudo curl"
echo "would run: $tool --now"
printf '%s\n' "$tool"
