# capabilities: dynamic-code, network; hidden by: text built in parts
parts = "import|socket|;|socket.socket()".split("|")
exec(" ".join(parts))
