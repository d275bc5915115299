# capabilities: files-read, unsafe-deserialization; hidden by: nothing
import joblib

model = joblib.load("/nonexistent/model.joblib")
print(model.predict([[1, 2]]))
