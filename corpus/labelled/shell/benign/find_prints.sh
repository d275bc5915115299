# capabilities: files-read, processes; resembles: find
find /nonexistent -name '*.sh' -print
echo "done"
