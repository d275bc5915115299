# capabilities: threads; hidden by: look-alike letters
import threading as kit

print(kit.Tｈｒｅａｄ(target=print))
