# capabilities: environment; resembles: loader variable
PATH="/nonexistent/bin:$PATH"
echo "$PATH"
