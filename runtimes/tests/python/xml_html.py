import xml.etree.ElementTree as E, html, html.parser, urllib.parse
root = E.fromstring('<a><b c="1">t</b></a>')
print(root.find('b').attrib, E.tostring(root), html.escape('<&>'), urllib.parse.parse_qs('a=1&b=2&a=3'))
