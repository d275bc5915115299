# -*- coding: utf-8 -*-
# capabilities: none; resembles: encoding cookie
words = ["é", "ü", "system"]
print([word.upper() for word in words])
