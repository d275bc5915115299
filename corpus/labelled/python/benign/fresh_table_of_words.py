# capabilities: none; resembles: table of functions
RISKY = {"os.system", "eval", "pickle.loads", "subprocess.run"}


def score(line):
    return sum(word in line for word in RISKY)


print(score("os.system('x'); eval(y)"))
