# capabilities: none; resembles: nothing
version=3.11.7
major=${version%%.*}
rest=${version#*.}
minor=${rest%%.*}
[ "$major" -ge 3 ] && echo "new: $minor"
