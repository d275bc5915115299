# capabilities: files-write; hidden by: aliased built-in function
store = open
handle = store("/nonexistent/out.txt", "wb")
handle.write(b"data")
