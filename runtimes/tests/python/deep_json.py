import json
text = '[' * 500 + ']' * 500
print(len(json.dumps(json.loads(text))))
try:
    json.loads('[' * 100000)
except RecursionError:
    print('too deep')
