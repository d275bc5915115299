# capabilities: unsafe-deserialization; hidden by: getattr with a percent format
import marshal as kit

name = '%s%s' % ('lo', 'ads')
print(getattr(kit, name)(b'N'))
