# capabilities: none; resembles: backslashes
echo a\ b \$HOME \"c\"
echo "done"
