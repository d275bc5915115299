// capabilities: dynamic-code, time; hidden by: text in a timer
const text = "console.log('later')";

setTimeout(text, 0);
