# capabilities: files-write; hidden by: mathematical letters
import shutil as 𝐤𝐢𝐭

chosen = 𝐤𝐢𝐭.𝐫𝐦𝐭𝐫𝐞𝐞
print(chosen('/nonexistent/tree', True))
