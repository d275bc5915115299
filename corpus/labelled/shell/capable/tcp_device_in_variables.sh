#!/bin/bash
# capabilities: network or unanalyzed; hidden by: /dev/tcp
host=192.0.2.1
port=80
echo x > "/dev/tcp/$host/$port"
