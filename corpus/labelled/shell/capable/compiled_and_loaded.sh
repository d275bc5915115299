#!/bin/bash
# capabilities: native-code; hidden by: enable -f
enable -f /nonexistent/extra.so extra
echo "done"
