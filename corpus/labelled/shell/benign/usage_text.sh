# capabilities: none; resembles: sudo
usage() {
  echo "usage: $0 [--sudo] [--eval TEXT]"
}
usage
