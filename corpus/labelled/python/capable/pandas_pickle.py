# capabilities: files-read, unsafe-deserialization; hidden by: renamed function
from pandas import read_pickle

frame = read_pickle("/nonexistent/frame.pkl")
print(frame.head())
