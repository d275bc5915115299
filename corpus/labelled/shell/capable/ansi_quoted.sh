#!/bin/bash
# capabilities: network, processes; hidden by: ANSI quoted text
$'\x63url' -s http://example.invalid/
echo "done"
