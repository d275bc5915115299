# capabilities: none; resembles: smtplib
from email.message import EmailMessage

message = EmailMessage()
message["To"] = "someone@example.invalid"
message.set_content("hello")
print(message.as_string())
