# capabilities: dynamic-code, files-read; hidden by: text built in parts
line = "print(" + "op" + "en('/nonexistent/a').read())"
eval(compile(line, "<made>", "eval"))
