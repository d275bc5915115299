# capabilities: unsafe-deserialization; hidden by: nothing
import yaml

TEXT = "name: test"
print(yaml.load(TEXT, Loader=yaml.Loader))
