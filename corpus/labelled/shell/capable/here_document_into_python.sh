# capabilities: dynamic-code, network or unanalyzed, processes; hidden by: here-document
python3 - <<'END'
import socket
socket.create_connection(("192.0.2.1", 80), 1)
END
