;; Opens `out.txt` in the first directory, and makes it; answers failure unless that ends with the
;; error of this number, or, for a number of none, with a file that could be written to.
(component
  (import "wasi:filesystem/types@0.2.0" (instance $types
    (export "descriptor" (type $descriptor (sub resource)))
    (type $codes (enum "access" "would-block" "already" "bad-descriptor" "busy" "deadlock"
      "quota" "exist" "file-too-large" "illegal-byte-sequence" "in-progress" "interrupted"
      "invalid" "io" "is-directory" "loop" "too-many-links" "message-size" "name-too-long"
      "no-device" "no-entry" "no-lock" "insufficient-memory" "insufficient-space"
      "not-directory" "not-empty" "not-recoverable" "unsupported" "no-tty" "no-such-device"
      "overflow" "not-permitted" "pipe" "read-only" "invalid-seek" "text-file-busy"
      "cross-device"))
    (export "error-code" (type $code (eq $codes)))
    (type $lookups (flags "symlink-follow"))
    (export "path-flags" (type $lookup (eq $lookups)))
    (type $hows (flags "create" "directory" "exclusive" "truncate"))
    (export "open-flags" (type $how (eq $hows)))
    (type $modes (flags "read" "write" "file-integrity-sync" "data-integrity-sync"
      "requested-write-sync" "mutate-directory"))
    (export "descriptor-flags" (type $mode (eq $modes)))
    (export "[method]descriptor.open-at"
      (func (param "self" (borrow $descriptor)) (param "path-flags" $lookup)
        (param "path" string) (param "open-flags" $how) (param "flags" $mode)
        (result (result (own $descriptor) (error $code)))))
    (export "[method]descriptor.write"
      (func (param "self" (borrow $descriptor)) (param "buffer" (list u8))
        (param "offset" u64) (result (result u64 (error $code)))))))
  (alias export $types "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (alias outer 1 $descriptor (type $outer))
    (export "descriptor" (type $own (eq $outer)))
    (export "get-directories" (func (result (list (tuple (own $own) string)))))))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (export "now" (func (result u64)))))
  (core module $memory
    (memory (export "memory") 1)
    (data (i32.const 100) "out.txtkept")
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
      (local.set $at (global.get $next))
      (global.set $next (i32.and (i32.add (i32.add (local.get $at) (local.get 3))
        (i32.const 7)) (i32.const -8)))
      (local.get $at)))
  (core instance $memory (instantiate $memory))
  (alias core export $memory "memory" (core memory $bytes))
  (alias core export $memory "realloc" (core func $realloc))
  (core func $directories (canon lower (func $preopens "get-directories")
    (memory $bytes) (realloc $realloc)))
  (core func $open (canon lower (func $types "[method]descriptor.open-at") (memory $bytes)))
  (core func $write (canon lower (func $types "[method]descriptor.write") (memory $bytes)))
  (core func $now (canon lower (func $clock "now")))
  (core module $main
    (import "host" "memory" (memory 1))
    (import "host" "directories" (func $directories (param i32)))
    (import "host" "open" (func $open (param i32 i32 i32 i32 i32 i32 i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i64 i32)))
    (import "host" "now" (func $now (result i64)))
    (func (export "run") (result i32)
      (drop (call $now))
      (call $directories (i32.const 0))
      (call $open (i32.load (i32.load (i32.const 0))) (i32.const 1) (i32.const 100)
        (i32.const 7) (i32.const 1) (i32.const 3) (i32.const 16))
      (if (i32.load8_u (i32.const 16)) (then
        (return (i32.ne (i32.load8_u (i32.const 20)) (i32.const EXPECTED)))))
      (call $write (i32.load (i32.const 20)) (i32.const 107) (i32.const 4) (i64.const 0)
        (i32.const 32))
      (i32.or (i32.load8_u (i32.const 32)) (i32.lt_u (i32.const EXPECTED) (i32.const 37)))))
  (core instance $main (instantiate $main (with "host" (instance
    (export "memory" (memory $bytes))
    (export "directories" (func $directories))
    (export "open" (func $open))
    (export "write" (func $write))
    (export "now" (func $now))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))
