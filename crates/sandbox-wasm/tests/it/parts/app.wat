;; A command that imports the part `calc`, calls it as STEPS say, and fails when they answer 1.
(component
(import "acme:tools/calc@1.0.0" (instance $calc
  (export "add" (func (param "a" u32) (param "b" u32) (result u32)))
  (export "check" (func (param "x" u32) (result (result u32 (error string)))))))
(core module $memory
  (memory (export "memory") 2)
  (global $next (mut i32) (i32.const 16384))
  (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
    (global.set $next (i32.add (global.get $next) (local.get $size)))
    (i32.sub (global.get $next) (local.get $size))))
(core instance $memory (instantiate $memory))
(alias core export $memory "memory" (core memory $bytes))
(alias core export $memory "realloc" (core func $realloc))
(core func $add (canon lower (func $calc "add")))
(core func $check
  (canon lower (func $calc "check") (memory $bytes) (realloc $realloc)))
(core module $main
  (import "host" "memory" (memory 1))
  (import "host" "add" (func $add (param i32 i32) (result i32)))
  (import "host" "check" (func $check (param i32 i32)))
  ;; Whether a check is an error, and what it answers if not.
  (func $fails (param i32) (result i32)
    (call $check (local.get 0) (i32.const 32))
    (i32.load8_u (i32.const 32)))
  (func $value (param i32) (result i32)
    (if (call $fails (local.get 0)) (then (return (i32.const -1))))
    (i32.load (i32.const 36)))
  (func (export "run") (result i32) (;STEPS;)))
(core instance $main (instantiate $main (with "host" (instance
  (export "memory" (memory $bytes))
  (export "add" (func $add)) (export "check" (func $check))))))
(func $run (result (result)) (canon lift (core func $main "run")))
(instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))
