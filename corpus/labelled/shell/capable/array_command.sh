#!/bin/bash
# capabilities: network, processes; hidden by: array
words=(curl -s http://example.invalid/)
"${words[@]}"
