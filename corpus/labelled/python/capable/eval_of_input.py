# capabilities: dynamic-code; hidden by: nothing
while True:
    line = input("calc> ")
    if not line:
        break
    print(eval(line))
