# capabilities: environment, files-write; hidden by: start-up file
echo 'export LEVEL=3' >> "$HOME/.profile"
echo "done"
