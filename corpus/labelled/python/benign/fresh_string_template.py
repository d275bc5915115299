# capabilities: none; resembles: string.Template
from string import Template

print(Template("$name runs $tool").substitute(name="a", tool="os.system"))
