# capabilities: none; resembles: signal
def smooth(signal, width=2):
    return [sum(signal[i:i + width]) / width for i in range(len(signal) - width + 1)]


signal = [1.0, 2.0, 4.0, 8.0]
print(smooth(signal))
