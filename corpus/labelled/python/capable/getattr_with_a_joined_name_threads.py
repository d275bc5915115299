# capabilities: threads; hidden by: getattr with a joined name
import threading as base

name = 'Thr' + 'ead'
if name:
    print(getattr(base, name)(target=print))
