# capabilities: files-write, processes; resembles: mode with identity
chmod 644 /nonexistent/file
chmod +x /nonexistent/run
