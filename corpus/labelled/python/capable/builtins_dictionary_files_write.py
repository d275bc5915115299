# capabilities: files-write; hidden by: builtins dictionary
import builtins

bring = builtins.__dict__['__import__']
print(bring('os').mkdir('/nonexistent/new'))
