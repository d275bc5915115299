# capabilities: dynamic-code; hidden by: builtins dictionary
worker = __builtins__.exec
worker("print('generated')")
