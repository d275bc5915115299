#!/bin/bash
# capabilities: dynamic-code; hidden by: start-up variable
PROMPT_COMMAND='echo ready'
echo "done"
