# capabilities: system-change; hidden by: look-alike letters
import os as kit

print(kit.sｅｔｕｉｄ(65534))
