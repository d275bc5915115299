# capabilities: none; resembles: eval
case "$1" in
  eval) echo "eval asked" ;;
  sudo|curl) echo "tool asked" ;;
  *) echo "nothing" ;;
esac
