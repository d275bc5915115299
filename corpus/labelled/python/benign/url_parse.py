# capabilities: none; resembles: urllib
from urllib.parse import quote, urlparse

address = urlparse("http://example.invalid/a?b=c")
print(address.netloc, quote("a b"))
