# capabilities: dynamic-code; hidden by: table of functions
HANDLERS = {
    "number": int,
    "text": str,
    "expression": eval,
}

for kind, raw in [("number", "4"), ("expression", "4 * 4")]:
    print(HANDLERS[kind](raw))
