# capabilities: introspection, dynamic-code or unanalyzed; hidden by: traceback
try:
    raise ValueError("x")
except ValueError as error:
    frame = error.__traceback__.tb_frame
    run = frame.f_builtins["eval"]
    print(run("1 + 1"))
