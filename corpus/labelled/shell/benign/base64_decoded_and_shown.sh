# capabilities: processes; resembles: base64 -d | sh
echo ZXZhbAo= | base64 -d | wc -c
echo "done"
