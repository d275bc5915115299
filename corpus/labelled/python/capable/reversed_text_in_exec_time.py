# capabilities: dynamic-code, time; hidden by: reversed text in exec
stored = ")0(peels.emit;emit tropmi"
exec(stored[::-1])
