# -*- coding: latin-1 -*-
print('\u00e9')
