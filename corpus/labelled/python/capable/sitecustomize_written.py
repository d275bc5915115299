# capabilities: files-write; hidden by: start-up file
BODY = "print('started')\n"

with open("/nonexistent/site-packages/sitecustomize.py", "w") as file:
    file.write(BODY)
