# capabilities: system-change; hidden by: tuple unpacking
import os as kit

(first, (second, third)) = (1, (kit.setpriority, 3))
print(first, second(0, 0, 5), third)
