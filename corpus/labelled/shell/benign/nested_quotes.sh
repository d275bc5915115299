# capabilities: none; resembles: quotes inside a word
echo 'it'"'"'s "quoted"' "and 'mixed'"
echo pre"mid"post
