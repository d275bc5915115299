;; A part that writes to standard output before it adds.
(component
  (import "wasi:io/error@0.2.0" (instance $errors
    (export "error" (type (sub resource)))))
  (alias export $errors "error" (type $error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $stream (sub resource)))
    (alias outer 1 $error (type $outer-error))
    (export "error" (type $own-error (eq $outer-error)))
    (type $failure (variant (case "last-operation-failed" (own $own-error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $failure)))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $stream)) (param "contents" (list u8))
        (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $stream))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $stream (type $outer-stream))
    (export "output-stream" (type $own-stream (eq $outer-stream)))
    (export "get-stdout" (func (result (own $own-stream))))))
  (core module $memory (memory (export "memory") 1)
    (data (i32.const 16) "from the part\n"))
  (core instance $memory (instantiate $memory))
  (alias core export $memory "memory" (core memory $bytes))
  (core func $write (canon lower
    (func $streams "[method]output-stream.blocking-write-and-flush") (memory $bytes)))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core module $code
    (import "host" "memory" (memory 1))
    (import "host" "get-stdout" (func $get-stdout (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (func (export "add") (param i32 i32) (result i32)
      (call $write (call $get-stdout) (i32.const 16) (i32.const 14) (i32.const 0))
      (i32.add (local.get 0) (local.get 1)))
    (func (export "check") (param i32) (result i32)
      (i32.store8 (i32.const 64) (i32.const 0))
      (i32.store (i32.const 68) (local.get 0))
      (i32.const 64)))
  (core instance $code (instantiate $code (with "host" (instance
    (export "memory" (memory $bytes))
    (export "get-stdout" (func $get-stdout))
    (export "write" (func $write))))))
  (func $add (param "a" u32) (param "b" u32) (result u32)
    (canon lift (core func $code "add")))
  (func $check (param "x" u32) (result (result u32 (error string)))
    (canon lift (core func $code "check") (memory $bytes)))
  (instance $calc (export "add" (func $add)) (export "check" (func $check)))
  (export "acme:tools/calc@1.1.0" (instance $calc)))
