# capabilities: none; resembles: positional parameters
while [ "$#" -gt 0 ]; do
  case "$1" in
    --exec) echo "exec" ;;
    --) shift; break ;;
  esac
  shift
done
echo "$@"
