with open('data.txt') as file:
    print([line.strip() for line in file])
print(open('data.txt', 'rb').read(5))
