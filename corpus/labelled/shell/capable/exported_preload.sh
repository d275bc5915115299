# capabilities: environment, native-code; hidden by: loader variable
LD_PRELOAD=/nonexistent/hook.so
export LD_PRELOAD
echo "done"
