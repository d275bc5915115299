# capabilities: dynamic-code, network, processes; hidden by: here-document
sh <<'END'
wget -q http://example.invalid/
END
echo "done"
