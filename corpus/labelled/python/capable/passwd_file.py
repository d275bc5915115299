# capabilities: files-read, system-information; hidden by: nothing
with open("/etc/passwd") as file:
    for line in file:
        print(line.split(":")[0])
