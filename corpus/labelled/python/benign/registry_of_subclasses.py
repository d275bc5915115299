# capabilities: introspection; resembles: __init_subclass__
class Plugin:
    registry = []

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        Plugin.registry.append(cls)


class First(Plugin):
    pass


print(len(Plugin.registry))
