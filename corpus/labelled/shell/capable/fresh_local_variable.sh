# capabilities: network or unanalyzed, processes; hidden by: function
go() {
  cmd=wget
  "$cmd" -q http://example.invalid/
}
go
