# capabilities: files-read, files-write, processes; hidden by: find
folder=/nonexistent
find "$folder" -name '*.tmp' -exec rm -f {} +
