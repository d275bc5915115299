# capabilities: files-write, processes, system-change; hidden by: nothing
tool=/nonexistent/tool
chmod u+s "$tool"
