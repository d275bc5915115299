# capabilities: network; hidden by: getattr with str.format
import urllib.request as kit

name = '{}{}'.format('url', 'open')
print(getattr(kit, name)('http://example.invalid/feed'))
