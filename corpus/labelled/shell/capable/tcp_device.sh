#!/bin/bash
# capabilities: network; hidden by: /dev/tcp
exec 3<>/dev/tcp/192.0.2.1/80
printf 'GET / HTTP/1.0\r\n\r\n' >&3
