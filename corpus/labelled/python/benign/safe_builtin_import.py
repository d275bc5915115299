# capabilities: none; resembles: __import__
math = __import__("math")
numbers = [1, 4, 9]
print([math.sqrt(number) for number in numbers])
