# capabilities: none; resembles: eval
while getopts "e:s" option; do
  case "$option" in
    e) echo "eval=$OPTARG" ;;
    s) echo "sudo" ;;
    *) exit 2 ;;
  esac
done
