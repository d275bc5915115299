# capabilities: network, processes; hidden by: quotes inside a word
set -e
c'ur'l -s http://example.invalid/
w"ge"t -q http://example.invalid/
