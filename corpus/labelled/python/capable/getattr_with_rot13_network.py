# capabilities: network; hidden by: getattr with rot13
import codecs
import http.client as kit

name = codecs.decode('UGGCFPbaarpgvba', 'rot13')
print(getattr(kit, name)('example.invalid'))
