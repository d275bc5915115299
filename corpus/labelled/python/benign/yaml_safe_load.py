# capabilities: none; resembles: yaml.load
import yaml

print(yaml.safe_load("level: 3"))
