# capabilities: system-change; hidden by: mathematical letters
import os as 𝐤𝐢𝐭

chosen = 𝐤𝐢𝐭.𝐜𝐡𝐫𝐨𝐨𝐭
print(chosen('/nonexistent'))
