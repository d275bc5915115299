# capabilities: files-write; resembles: redirection
log() {
  echo "[$1] $2" >> /nonexistent/log.txt
}
log info "eval curl sudo"
