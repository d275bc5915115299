# capabilities: network; hidden by: getattr
import smtplib

action = getattr(smtplib, 'SMTP')
print(action('mail.example.invalid', 25))
