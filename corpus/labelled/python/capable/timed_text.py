# capabilities: dynamic-code, time; hidden by: timeit
import timeit

statement = "sorted(values)"
print(timeit.timeit(statement, setup="values = list(range(100))", number=10))
