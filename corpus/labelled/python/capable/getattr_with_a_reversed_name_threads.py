# capabilities: threads; hidden by: getattr with a reversed name
import concurrent.futures as kit

label = 'rotucexElooPdaerhT'
print(getattr(kit, label[::-1])(2))
