# capabilities: dynamic-code, native-code; hidden by: nested exec
inner = 'import ctypes;ctypes.string_at(0, 0)'
outer = 'exec(inner)'
exec(outer)
