# capabilities: dynamic-code; hidden by: decorator
@eval
@lambda function: "2 + 3"
def answer():
    return None


print(answer)
