# capabilities: none; resembles: multi-call program
menu() {
  echo "1) kill"
  echo "2) reboot"
  echo "3) mount"
}
menu
