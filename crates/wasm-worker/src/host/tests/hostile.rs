//! Calls as no compiler makes them: every function of preview 1 with arguments at the edges.

use proptest::prelude::*;
use wasmtime::{Engine, Linker, Module, Store, Val, ValType};

use super::guest::{Run, block_on};
use crate::host::preview1::{self, Delays, MODULE};

const NAMES: [(&str, &str); 45] = [
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "iIi"),
    ("fd_advise", "iIIi"),
    ("fd_allocate", "iII"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "iII"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "iI"),
    ("fd_filestat_set_times", "iIIi"),
    ("fd_pread", "iiiIi"),
    ("fd_prestat_get", "ii"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_pwrite", "iiiIi"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiiIi"),
    ("fd_renumber", "ii"),
    ("fd_seek", "iIii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiiIIi"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiiIIii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("proc_raise", "i"),
    ("sched_yield", ""),
    ("random_get", "ii"),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
    ("poll_oneoff", "iiii"),
];

/// A module that hands every function on, with paths and buffers in its memory.
fn module() -> String {
    let mut text = String::from("(module\n");
    for (name, parameters) in NAMES {
        let types: Vec<&str> = parameters
            .chars()
            .map(|kind| if kind == 'i' { "i32" } else { "i64" })
            .collect();
        let types = types.join(" ");
        text.push_str(&format!(
            "(import \"{MODULE}\" \"{name}\" (func ${name} (param {types}) (result i32)))\n"
        ));
    }
    for (name, _) in NAMES {
        text.push_str(&format!("(export \"{name}\" (func ${name}))\n"));
    }
    text.push_str(
        r#"(memory (export "memory") 2)
           (data (i32.const 8) "a/b/../c\00..link\ff")
           (data (i32.const 64) "\08\00\00\00\04\00\00\00\00\00\00\00\ff\ff\ff\ff"))"#,
    );
    text
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        6 => 0..20_u64,
        2 => prop::sample::select(vec![64, 72, 1000, 65_535, 65_536, 131_071, 131_072]),
        2 => prop::sample::select(vec![
            u64::from(u32::MAX), u64::from(u32::MAX) - 1, 1 << 31, u64::MAX, i64::MAX as u64,
            1 << 40,
        ]),
        1 => any::<u64>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// A call answers, or ends the guest with an error; it never ends the host.
    #[test]
    fn no_arguments_end_the_host(
        calls in prop::collection::vec((0..NAMES.len(), prop::collection::vec(number(), 9)), 1..60)
    ) {
        let engine = Engine::default();
        let mut linker = Linker::new(&engine);
        preview1::add_to_linker(&mut linker, Delays::Never).unwrap();
        let module = Module::new(&engine, module()).unwrap();
        let mut run = Run::program(Vec::new()).input_file("a/b", "content");
        run.limits.bytes_max = 1 << 20;
        run.limits.files_max = 10;
        block_on(async {
            let mut store = Store::new(&engine, run.guest());
            let instance = linker.instantiate_async(&mut store, &module).await.unwrap();
            for (index, numbers) in calls {
                let (name, _) = NAMES[index];
                let function = instance.get_func(&mut store, name).unwrap();
                let kinds = function.ty(&store);
                let arguments: Vec<Val> = kinds
                    .params()
                    .zip(numbers)
                    .map(|(kind, number)| match kind {
                        ValType::I32 => Val::I32(number as i32),
                        _ => Val::I64(number as i64),
                    })
                    .collect();
                let mut results = [Val::I32(0)];
                let call = function.call_async(&mut store, &arguments, &mut results);
                // Some wait for very long, and rightly so.
                let wait = std::time::Duration::from_millis(5);
                if tokio::time::timeout(wait, call).await.is_err() {
                    break;
                }
            }
        });
    }
}
