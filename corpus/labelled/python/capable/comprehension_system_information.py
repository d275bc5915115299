# capabilities: system-information; hidden by: comprehension
import os as kit

print([work() for work in (kit.uname,)])
