# capabilities: threads; hidden by: mathematical letters
import concurrent.futures as 𝐤𝐢𝐭

chosen = 𝐤𝐢𝐭.T𝐡𝐫𝐞𝐚𝐝P𝐨𝐨𝐥E𝐱𝐞𝐜𝐮𝐭𝐨𝐫
print(chosen(2))
