#!/bin/bash
# capabilities: network; hidden by: /dev/udp
echo ping > /dev/udp/192.0.2.1/9
echo "done"
