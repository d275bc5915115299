//! WebAssembly programs in text form, as small as their purpose allows.

/// The imports that most fixtures need, and a memory with scratch space:
/// 0..8 one vector, 8..12 a result, 16.. data.
const PRELUDE: &str = r#"
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get"
    (func $environ_get (param i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func $write (param $fd i32) (param $at i32) (param $length i32) (result i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
"#;

/// A module with the usual imports, this text, and `_start` with this body.
pub(crate) fn command(items: &str, body: &str) -> String {
    format!("(module {PRELUDE} {items} (func $_start (export \"_start\") (local $n i32) {body}))")
}

/// Prints a text.
pub(crate) fn hello() -> String {
    command(
        r#"(data (i32.const 16) "hello\n")"#,
        "(drop (call $write (i32.const 1) (i32.const 16) (i32.const 6)))",
    )
}

/// Exits with this code.
pub(crate) fn exit(code: i32) -> String {
    command("", &format!("(call $exit (i32.const {code}))"))
}

/// Copies standard input to standard output, then exits with the last result of reading.
pub(crate) fn echo() -> String {
    command(
        "",
        "(loop $more
           (i32.store (i32.const 0) (i32.const 16))
           (i32.store (i32.const 4) (i32.const 60000))
           (local.set $n (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
           (if (local.get $n) (then (call $exit (local.get $n))))
           (if (i32.load (i32.const 8)) (then
             (drop (call $write (i32.const 1) (i32.const 16) (i32.load (i32.const 8))))
             (br $more))))",
    )
}

/// Prints its arguments and then its environment, as the NUL-ended texts that WASI gives.
pub(crate) fn arguments_and_environment() -> String {
    command(
        "",
        "(drop (call $args_sizes_get (i32.const 1000) (i32.const 1004)))
         (drop (call $args_get (i32.const 2000) (i32.const 4000)))
         (drop (call $write (i32.const 1) (i32.const 4000) (i32.load (i32.const 1004))))
         (drop (call $environ_sizes_get (i32.const 1000) (i32.const 1004)))
         (drop (call $environ_get (i32.const 2000) (i32.const 4000)))
         (drop (call $write (i32.const 1) (i32.const 4000) (i32.load (i32.const 1004))))",
    )
}

/// How a path is opened.
pub(crate) struct Open<'a> {
    /// Which preopened directory; 3 is the first.
    pub(crate) directory: u32,
    pub(crate) path: &'a str,
    /// Whether a symbolic link at the end is followed.
    pub(crate) follow: bool,
    /// 1 creates, 8 truncates.
    pub(crate) flags: u32,
}

/// Opens a path, exits with the error if there is one, then does `then` with the descriptor in
/// `$n`.
pub(crate) fn open(open: &Open<'_>, then: &str) -> String {
    let Open {
        directory,
        path,
        follow,
        flags,
    } = open;
    let length = path.len();
    let follow = u32::from(*follow);
    // Rights: read, write, and whatever else a C library asks for.
    command(
        &format!("(data (i32.const 16) \"{path}\")"),
        &format!(
            "(local.set $n (call $path_open (i32.const {directory}) (i32.const {follow})
               (i32.const 16) (i32.const {length}) (i32.const {flags})
               (i64.const 0x42) (i64.const 0x42) (i32.const 0) (i32.const 12)))
             (if (local.get $n) (then (call $exit (local.get $n))))
             (local.set $n (i32.load (i32.const 12)))
             {then}"
        ),
    )
}

/// Copies descriptor `$n` to standard output.
pub(crate) const PRINT_FILE: &str = "
  (i32.store (i32.const 0) (i32.const 1000))
  (i32.store (i32.const 4) (i32.const 60000))
  (drop (call $fd_read (local.get $n) (i32.const 0) (i32.const 1) (i32.const 8)))
  (drop (call $write (i32.const 1) (i32.const 1000) (i32.load (i32.const 8))))";

/// A component that answers `run` with success (0) or failure (1), after `body`.
pub(crate) fn component(body: &str, answer: u32) -> String {
    format!(
        r#"(component
          (core module $main
            (func (export "run") (result i32) {body} (i32.const {answer})))
          (core instance $main (instantiate $main))
          (func $run (result (result)) (canon lift (core func $main "run")))
          (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#
    )
}

/// A component that prints a text through `wasi:cli/stdout`.
pub(crate) fn hello_component() -> String {
    r#"(component
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
        (data (i32.const 16) "hello from a component\n"))
      (core instance $memory (instantiate $memory))
      (alias core export $memory "memory" (core memory $bytes))
      (core func $write (canon lower
        (func $streams "[method]output-stream.blocking-write-and-flush") (memory $bytes)))
      (core func $get-stdout (canon lower (func $stdout "get-stdout")))
      (core module $main
        (import "host" "memory" (memory 1))
        (import "host" "get-stdout" (func $get-stdout (result i32)))
        (import "host" "write" (func $write (param i32 i32 i32 i32)))
        (func (export "run") (result i32)
          (call $write (call $get-stdout) (i32.const 16) (i32.const 23) (i32.const 0))
          (i32.load8_u (i32.const 0))))
      (core instance $main (instantiate $main (with "host" (instance
        (export "memory" (memory $bytes))
        (export "get-stdout" (func $get-stdout))
        (export "write" (func $write))))))
      (func $run (result (result)) (canon lift (core func $main "run")))
      (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#
        .to_owned()
}

/// A component that exits with success or failure through `wasi:cli/exit`.
pub(crate) fn exit_component(failure: u32) -> String {
    format!(
        r#"(component
          (import "wasi:cli/exit@0.2.0" (instance $exits
            (export "exit" (func (param "status" (result))))))
          (core func $exit (canon lower (func $exits "exit")))
          (core module $main
            (import "host" "exit" (func $exit (param i32)))
            (func (export "run") (result i32) (call $exit (i32.const {failure})) unreachable))
          (core instance $main (instantiate $main (with "host" (instance
            (export "exit" (func $exit))))))
          (func $run (result (result)) (canon lift (core func $main "run")))
          (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#
    )
}

/// A component that asks for a TCP socket and answers failure when it gets an error.
pub(crate) fn socket_component() -> String {
    r#"(component
      (import "wasi:sockets/network@0.2.0" (instance $network
        (type $codes (enum "unknown" "access-denied" "not-supported" "invalid-argument"
          "out-of-memory" "timeout" "concurrency-conflict" "not-in-progress" "would-block"
          "invalid-state" "new-socket-limit" "address-not-bindable" "address-in-use"
          "remote-unreachable" "connection-refused" "connection-reset" "connection-aborted"
          "datagram-too-large" "name-unresolvable" "temporary-resolver-failure"
          "permanent-resolver-failure"))
        (export "error-code" (type (eq $codes)))
        (type $families (enum "ipv4" "ipv6"))
        (export "ip-address-family" (type (eq $families)))))
      (alias export $network "error-code" (type $code))
      (alias export $network "ip-address-family" (type $family))
      (import "wasi:sockets/tcp@0.2.0" (instance $tcp
        (export "tcp-socket" (type (sub resource)))))
      (alias export $tcp "tcp-socket" (type $socket))
      (import "wasi:sockets/tcp-create-socket@0.2.0" (instance $create
        (alias outer 1 $code (type $outer-code))
        (export "error-code" (type $own-code (eq $outer-code)))
        (alias outer 1 $family (type $outer-family))
        (export "ip-address-family" (type $own-family (eq $outer-family)))
        (alias outer 1 $socket (type $outer-socket))
        (export "tcp-socket" (type $own-socket (eq $outer-socket)))
        (export "create-tcp-socket" (func (param "address-family" $own-family)
          (result (result (own $own-socket) (error $own-code)))))))
      (core module $memory (memory (export "memory") 1))
      (core instance $memory (instantiate $memory))
      (alias core export $memory "memory" (core memory $bytes))
      (core func $create (canon lower (func $create "create-tcp-socket") (memory $bytes)))
      (core module $main
        (import "host" "memory" (memory 1))
        (import "host" "create" (func $create (param i32 i32)))
        (func (export "run") (result i32)
          (call $create (i32.const 0) (i32.const 16))
          ;; 1 in the first byte is an error; its code follows, and 1 is "access-denied".
          (i32.and (i32.load8_u (i32.const 16)) (i32.load8_u (i32.const 20)))))
      (core instance $main (instantiate $main (with "host" (instance
        (export "memory" (memory $bytes))
        (export "create" (func $create))))))
      (func $run (result (result)) (canon lift (core func $main "run")))
      (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#
        .to_owned()
}
