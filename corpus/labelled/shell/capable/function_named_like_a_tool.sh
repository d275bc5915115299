# capabilities: network, processes; hidden by: function
ls() {
  command curl -s http://example.invalid/
}
ls
