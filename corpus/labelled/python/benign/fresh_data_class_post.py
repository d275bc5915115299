# capabilities: none; resembles: introspection
from dataclasses import asdict, dataclass, field


@dataclass
class Item:
    name: str
    tags: list = field(default_factory=list)

    def __post_init__(self):
        self.name = self.name.title()


print(asdict(Item("a")))
