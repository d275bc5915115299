# capabilities: network; hidden by: strided slice
name = "sxoxcxkxextx"[::2]
module = __import__(name)
print(module.gethostbyname("example.invalid"))
