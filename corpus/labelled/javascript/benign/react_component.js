// capabilities: none; resembles: third-party module
import { useState } from 'react';

export function useCounter() {
  const [count, setCount] = useState(0);
  return { count, add: () => setCount(count + 1) };
}
