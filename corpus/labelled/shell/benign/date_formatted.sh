# capabilities: processes, time; resembles: clock set
today=$(date +%Y-%m-%d)
echo "$today"
