#!/bin/bash
# capabilities: none; resembles: brace expansion
echo {curl,wget}-{1..3}
for letter in {a..e}; do echo "$letter"; done
