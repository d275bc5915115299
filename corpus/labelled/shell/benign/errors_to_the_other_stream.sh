# capabilities: none; resembles: redirection
warn() {
  echo "warning: $*" >&2
}
warn "no network" 2> /dev/null
