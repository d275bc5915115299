# capabilities: files-write, processes; hidden by: start-up file
(crontab -l; echo '@daily echo ready') | crontab -
echo "done"
