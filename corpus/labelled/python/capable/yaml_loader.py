# capabilities: unsafe-deserialization; hidden by: renamed function
from yaml import unsafe_load as read_settings

print(read_settings("level: 3"))
