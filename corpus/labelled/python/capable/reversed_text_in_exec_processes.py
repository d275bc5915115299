# capabilities: dynamic-code, processes; hidden by: reversed text in exec
stored = ")]'ydaer' ,'ohce'[(nur.ssecorpbus;ssecorpbus tropmi"
exec(stored[::-1])
