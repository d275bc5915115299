# capabilities: environment, processes; hidden by: nothing
env | sort
echo "done"
