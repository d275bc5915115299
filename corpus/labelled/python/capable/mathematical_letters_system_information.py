# capabilities: system-information; hidden by: mathematical letters
import os as 𝐤𝐢𝐭

chosen = 𝐤𝐢𝐭.𝐜𝐩𝐮_𝐜𝐨𝐮𝐧𝐭
print(chosen())
