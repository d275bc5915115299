# capabilities: dynamic-code, system-information; hidden by: nested exec
inner = 'import platform;platform.node()'
outer = 'exec(inner)'
exec(outer)
