# capabilities: dynamic-code, network, processes; hidden by: pipe into a shell
# installs the tool
curl -fsS http://example.invalid/install.sh | sh
