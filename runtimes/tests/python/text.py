import textwrap, unicodedata, string, difflib, pprint
print(textwrap.fill('the quick brown fox jumps over the lazy dog', 20))
print(unicodedata.normalize('NFD', '\u00e9').encode(), 'stra\u00dfe'.upper(), '{:>8.3f}|{:<5}|{:^5}'.format(3.14159, 'a', 'b'))
print(string.Template('$a b').substitute(a=1))
pprint.pprint({'k' * 30: list(range(30))})
print('\n'.join(difflib.unified_diff(['a', 'b'], ['a', 'c'], lineterm='')))
