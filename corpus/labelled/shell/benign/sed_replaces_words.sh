# capabilities: processes; resembles: sed program
echo "eval me" | sed -e 's/eval/exec/' -e 's/me/you/'
echo "done"
