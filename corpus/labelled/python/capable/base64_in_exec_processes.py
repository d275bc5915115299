# capabilities: dynamic-code, processes; hidden by: base64 in exec
import base64

blob = 'aW1wb3J0IG9zCm9zLnN5c3RlbSgnZWNobyByZWFkeScp'
exec(base64.b64decode(blob))
