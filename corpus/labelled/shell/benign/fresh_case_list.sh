# capabilities: none; resembles: globbing of a command path
for word in mount sudo; do
  case $word in mou*) echo "m" ;; [s]*) echo "s" ;; esac
done
