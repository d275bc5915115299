# capabilities: files-write, processes; resembles: mode with identity
chmod 0755 /nonexistent/file
chmod -R u=rwX,go=rX /nonexistent/tree
