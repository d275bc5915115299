#!/usr/bin/env python3
# vim: set fileencoding=utf-8 :
# capabilities: network; hidden by: encoding cookie
import socket

socket.create_connection(("192.0.2.7", 80), 1)
