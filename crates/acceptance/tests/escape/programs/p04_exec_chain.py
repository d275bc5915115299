"""P-04: replaces itself five hundred times, each time under the name of Atoll's own program."""
import os
import sys
from attempts import attempt, report

CHAIN = """n=$1; shift
if [ "$n" -ge 500 ]; then exec env COUNT=$n "$@"; fi
exec sh -c "$CHAIN" atoll-launcher $((n + 1)) "$@"
"""
if "COUNT" not in os.environ:
    os.environ["CHAIN"] = CHAIN
    name = "atoll-launcher"
    os.execvp("sh", [name, "-c", CHAIN, name, "0", sys.executable, *sys.argv])


def take_the_name():
    with open("/proc/self/comm", "w") as file:
        file.write("atoll-launcher")


attempt("replaced itself 500 times", lambda: None if os.environ["COUNT"] == "500" else "fewer")
attempt("take the name", take_the_name)
report()
