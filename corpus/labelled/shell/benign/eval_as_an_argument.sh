# capabilities: none; resembles: eval
say() {
  echo "$1: $2"
}
say eval "one"
say exec "two"
