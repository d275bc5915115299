# capabilities: network, processes; hidden by: function
fetch() {
  "$1" -s http://example.invalid/
}
fetch curl
