# capabilities: dynamic-code, time; hidden by: base64 in exec
import base64

blob = 'aW1wb3J0IHRpbWUKdGltZS50aW1lKCk='
exec(base64.b64decode(blob))
