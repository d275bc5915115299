# capabilities: files-read, system-information; hidden by: text put together
folder = "/proc"
with open(folder + "/cpuinfo") as file:
    print(sum(line.startswith("processor") for line in file))
