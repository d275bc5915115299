#!/bin/bash
# capabilities: randomness; hidden by: nothing
roll=$((RANDOM % 6 + 1))
echo "$roll"
