# capabilities: introspection, processes or unanalyzed; hidden by: getattr with an unknown name
import os

name = input("function? ")
print(getattr(os, name)("echo ready"))
