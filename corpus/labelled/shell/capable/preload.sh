# capabilities: native-code, processes; hidden by: loader variable
LD_PRELOAD=/nonexistent/hook.so ls /nonexistent
echo "done"
