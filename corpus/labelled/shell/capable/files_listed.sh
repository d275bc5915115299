# capabilities: files-read, processes; hidden by: nothing
count=$(ls /nonexistent | wc -l)
echo "$count"
