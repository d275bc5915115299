# capabilities: dynamic-code, system-information; hidden by: compile and exec
source = '''
from os import cpu_count
cpu_count()
'''
code = compile(source, 'generated', 'exec')
exec(code, {})
