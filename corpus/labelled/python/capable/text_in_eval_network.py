# capabilities: dynamic-code, network; hidden by: text in eval
value = eval("__import__('smtplib').SMTP('mail.example.invalid', 25)")
print(value)
