# capabilities: dynamic-code, processes; hidden by: string.Template
from string import Template

text = Template("import $m; $m.system('echo ready')")
exec(text.substitute(m="os"))
