# capabilities: none; resembles: trap
goodbye() {
  echo "bye"
}
trap goodbye EXIT
echo "hello"
