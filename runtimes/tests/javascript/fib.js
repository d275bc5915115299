const fib = (n) => n < 2 ? n : fib(n - 1) + fib(n - 2); console.log(fib(22)); let s = 0; for (let i = 0; i < 1e6; i++) s += i % 7; console.log(s);
