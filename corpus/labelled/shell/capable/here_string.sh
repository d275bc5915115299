#!/bin/bash
# capabilities: dynamic-code, network, processes; hidden by: here-string
bash <<< 'curl -s http://example.invalid/'
echo "done"
