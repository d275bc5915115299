# capabilities: files-read, processes; hidden by: option
set -e
tar cf /dev/null /nonexistent --checkpoint=1 --checkpoint-action=exec=id
echo "done"
