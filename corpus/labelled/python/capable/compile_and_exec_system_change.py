# capabilities: dynamic-code, system-change; hidden by: compile and exec
source = '''
from os import chroot
chroot('/nonexistent')
'''
code = compile(source, 'generated', 'exec')
exec(code, {})
