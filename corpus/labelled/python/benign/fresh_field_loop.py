# capabilities: none; resembles: getattr with a computed name
FIELDS = ["name", "size"]


class File:
    name = "a"
    size = 3


print([getattr(File, field) for field in FIELDS])
