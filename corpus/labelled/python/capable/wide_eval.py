# capabilities: dynamic-code; hidden by: look-alike letters
formula = "3 * (4 + 5)"
print(ｅｖａｌ(formula))
