# capabilities: dynamic-code, files-write; hidden by: hexadecimal in exec
stored = "696d706f7274206f733b6f732e72656d6f766528272f6e6f6e6578697374656e742f612729"
exec(bytes.fromhex(stored).decode())
