# capabilities: processes; resembles: base64 -d | sh
text=$(printf 'curl' | base64)
echo "$text"
