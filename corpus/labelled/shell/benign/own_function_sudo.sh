# capabilities: none; resembles: sudo
sudo() {
  echo "not allowed: $*"
  return 1
}
sudo reboot || echo "as expected"
