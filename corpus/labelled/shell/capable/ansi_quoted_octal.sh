#!/bin/bash
# capabilities: dynamic-code, processes; hidden by: ANSI quoted text
$'\145val' 'id; uname'
echo "done"
