// capabilities: time; resembles: text in a timer
const later = () => console.log('later');

setTimeout(later, 0);
setTimeout(function named() {
  console.log('named');
}, 0);
