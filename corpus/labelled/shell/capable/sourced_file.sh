# capabilities: files-read; hidden by: nothing
settings=/nonexistent/settings.sh
. /nonexistent/settings.sh
echo "$settings"
