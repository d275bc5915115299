# capabilities: none; resembles: alias
ll() {
  echo "listing $1"
}
la() {
  ll "$1 all"
}
la home
