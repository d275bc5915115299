# capabilities: none; resembles: format string
template = "{name} has {count:>3} items, {user[level]}"
print(template.format(name="a", count=3, user={"level": 1}))
