# capabilities: processes; hidden by: vars
import subprocess as kit

print(vars(kit)['Popen'](['echo', 'ready']))
