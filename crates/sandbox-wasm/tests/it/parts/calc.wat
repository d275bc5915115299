;; A part that others call: it adds, and behaves badly on request.
(component
  (core module $code
    (memory (export "memory") 1)
    (global $calls (mut i32) (i32.const 0))
    (data (i32.const 64) "no")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "add") (param i32 i32) (result i32)
      (i32.add (local.get 0) (local.get 1)))
    ;; 0 counts calls since the start, 1 is an error, 2 traps, 3 never ends, 4 wants 60 MiB and
    ;; counts then.
    (func (export "check") (param i32) (result i32)
      (if (i32.eq (local.get 0) (i32.const 2)) (then unreachable))
      (if (i32.eq (local.get 0) (i32.const 3)) (then (loop (br 0))))
      (if (i32.eq (local.get 0) (i32.const 4)) (then
        (if (i32.eq (memory.grow (i32.const 960)) (i32.const -1)) (then unreachable))))
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (i32.store8 (i32.const 16) (i32.eq (local.get 0) (i32.const 1)))
      (i32.store (i32.const 20) (global.get $calls))
      (if (i32.eq (local.get 0) (i32.const 1)) (then
        (i32.store (i32.const 20) (i32.const 64))
        (i32.store (i32.const 24) (i32.const 2))))
      (i32.const 16)))
  (core instance $code (instantiate $code))
  (alias core export $code "memory" (core memory $memory))
  (alias core export $code "realloc" (core func $realloc))
  (func $add (param "a" u32) (param "b" u32) (result u32)
    (canon lift (core func $code "add")))
  (func $check (param "x" u32) (result (result u32 (error string)))
    (canon lift (core func $code "check") (memory $memory)))
  (instance $calc (export "add" (func $add)) (export "check" (func $check)))
  (export "acme:tools/calc@1.1.0" (instance $calc)))
