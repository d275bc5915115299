# capabilities: processes, system-change; hidden by: nothing
target=/nonexistent
sudo mount -o bind / "$target"
