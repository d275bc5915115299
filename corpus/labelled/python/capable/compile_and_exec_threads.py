# capabilities: dynamic-code, threads; hidden by: compile and exec
source = '''
from concurrent.futures import ThreadPoolExecutor
ThreadPoolExecutor(2)
'''
code = compile(source, 'generated', 'exec')
exec(code, {})
