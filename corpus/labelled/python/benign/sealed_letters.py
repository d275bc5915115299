# capabilities: none; resembles: pickle
pickle = {"jar": 3}
jars = [pickle, {"jar": 4}]
print(sum(jar["jar"] for jar in jars))
