# capabilities: unsafe-deserialization; hidden by: getattr with rot13
import codecs
import pickle as kit

name = codecs.decode('ybnqf', 'rot13')
print(getattr(kit, name)(b'N.'))
