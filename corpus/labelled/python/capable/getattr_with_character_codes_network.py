# capabilities: network; hidden by: getattr with character codes
import smtplib as kit

codes = [83, 77, 84, 80]
name = ''.join(chr(code) for code in codes)
print(getattr(kit, name)('mail.example.invalid', 25))
