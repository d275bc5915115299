# capabilities: randomness; hidden by: property
import secrets as kit


class Status:
    @property
    def value(self):
        return kit.token_hex(4)


print(Status().value)
