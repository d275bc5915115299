# capabilities: files-write; hidden by: redirection
log=/nonexistent/log
: > "$log"
echo "started" >> "$log"
