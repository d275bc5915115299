# capabilities: dynamic-code, processes; hidden by: hexadecimal in exec
from binascii import unhexlify as back

exec(back("696d706f7274206f733b6f732e73797374656d28276563686f2729"))
