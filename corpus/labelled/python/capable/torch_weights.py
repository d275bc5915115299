# capabilities: files-read, unsafe-deserialization; hidden by: nothing
import torch

state = torch.load("/nonexistent/weights.pt")
print(len(state))
