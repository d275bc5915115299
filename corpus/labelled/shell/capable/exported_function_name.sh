# capabilities: dynamic-code; hidden by: start-up variable
BASH_ENV=/nonexistent/start.sh
export BASH_ENV
echo "done"
