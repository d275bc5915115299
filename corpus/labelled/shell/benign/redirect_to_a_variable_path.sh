# capabilities: files-write; resembles: /dev/tcp in variables
out=/nonexistent/out.txt
echo "dev tcp" > "$out"
