import os
print(os.environ.get('GREETING'), os.getenv('NOPE', 'default'), sorted(os.environ)[:0])
os.environ['NEW'] = '1'
print(os.environ['NEW'])
