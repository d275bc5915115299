# capabilities: none; resembles: curl
curl() {
  echo "pretending: $*"
}
curl -s http://example.invalid/
