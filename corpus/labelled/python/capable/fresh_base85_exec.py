# capabilities: dynamic-code, processes or unanalyzed; hidden by: base85 in exec
import base64

stored = b'X>D+Ca&#bXb31QyE^~QvbY*QQCuL)3Zzm}'
exec(base64.b85decode(stored))
