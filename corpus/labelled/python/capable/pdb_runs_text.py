# capabilities: dynamic-code; hidden by: debugger
import pdb

pdb.run("print('inside')", {}, {})
