# capabilities: none; resembles: mount
mount() {
  echo "would mount $1"
}
mount /nonexistent
