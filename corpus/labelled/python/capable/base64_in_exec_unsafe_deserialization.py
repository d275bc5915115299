# capabilities: dynamic-code, unsafe-deserialization; hidden by: base64 in exec
import base64

blob = 'aW1wb3J0IG1hcnNoYWwKbWFyc2hhbC5sb2FkcyhiJ04nKQ=='
exec(base64.b64decode(blob))
