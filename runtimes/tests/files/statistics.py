mine = 'the program\u2019s own'
