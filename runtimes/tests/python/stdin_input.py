name = input('name? ')
print('hi', name)
try:
    while True:
        print(input())
except EOFError:
    print('end')
