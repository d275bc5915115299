# capabilities: files-read, files-write, processes; resembles: nothing
for file in /nonexistent/*.txt; do
  [ -e "$file" ] || continue
  cp "$file" "$file.bak"
done
