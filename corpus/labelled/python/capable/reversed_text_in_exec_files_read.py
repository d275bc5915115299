# capabilities: dynamic-code, files-read; hidden by: reversed text in exec
stored = ")'*/tnetsixenon/'(bolg.bolg;bolg tropmi"
exec(stored[::-1])
