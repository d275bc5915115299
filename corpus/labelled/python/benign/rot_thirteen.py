# capabilities: none; resembles: rot13
import codecs

print(codecs.encode("system", "rot13"), codecs.decode("flfgrz", "rot13"))
