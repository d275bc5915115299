# capabilities: none; resembles: function
check() {
  [ "$1" = "kill" ] && return 0
  return 1
}
check kill && echo "yes"
check fork || echo "no"
