#!/bin/bash
# capabilities: network or unanalyzed, processes; hidden by: brace expansion
{curl,-s,http://example.invalid/}
echo "done"
