# capabilities: network, processes; hidden by: subcommand
openssl s_client -connect example.invalid:443 < /dev/null
echo "done"
