// The JavaScript engine as a WebAssembly reactor that runs one program.
//
// C owns what JavaScript cannot do by itself: WASI, evaluating source under a file name, the queue
// of jobs, rejected promises, modules. What a program sees is made in runner.js from these functions.
// The exports `prepare`, `run` and `cabi_realloc` are the canonical ABI of runner.wit. `initialize`
// is called once, while the runtime is built, and the memory after it is the memory that instances
// begin with (see snapshot.py). So it must not ask the host for anything that it keeps: files,
// environment, time and randomness are asked for in `run`.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <wasi/api.h>
#include <wasi/libc.h>

#include "quickjs.h"

#define EXPORT(name) __attribute__((export_name(name)))

// The engine stops recursion here, at about as many calls as node. It sees only its stack in linear
// memory (2 MiB, says the linker); WebAssembly's own, which holds the calls, must not end earlier.
enum { STACK_BYTES = 1 << 20 };

enum { REHEARSED_WHEN_BUILT = 3 };

enum { GARBAGE_BYTES = 256 << 10 };

// Sizes of holes in the heap, and how often in a row memory has to come from its end.
enum { LARGE_HOLE = 1 << 16, SMALL_HOLE = 16, ABOVE_ALL = 8 };

// The exit code when the engine itself fails.
enum { FAILED = 70 };

// runner.js, compiled by compile.c.
extern const unsigned char runner_js[];
extern const unsigned runner_js_len;

// Appended to quickjs.c by the build: the seeds of Math.random and of the hashes in maps.
void JS_SetSeeds(JSContext *ctx, uint64_t random, uint32_t hash);

struct text {
    char *bytes;
    size_t length;
};

// WASI preview 1 would keep only whether the code is 0.
__attribute__((import_module("wasi:cli/exit@0.2.12"), import_name("exit-with-code")))
extern void exit_with_code(int code);

static JSContext *context;
static JSValue hooks;

// While a program is rehearsed, what it writes goes nowhere.
static bool rehearsing;

static JSValue failed(JSContext *ctx) {
    JSValue error = JS_NewError(ctx);
    JS_SetPropertyStr(ctx, error, "message", JS_NewString(ctx, strerror(errno)));
    JS_SetPropertyStr(ctx, error, "errno", JS_NewInt32(ctx, errno));
    return JS_Throw(ctx, error);
}

static JSValue answer(JSContext *ctx, int result) {
    return result < 0 ? failed(ctx) : JS_NewInt32(ctx, result);
}

#define FUNCTION(name)                                                                            \
    static JSValue name(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)

FUNCTION(host_read) {
    int descriptor, max;
    if (JS_ToInt32(ctx, &descriptor, argv[0]) || JS_ToInt32(ctx, &max, argv[1])) return JS_EXCEPTION;
    uint8_t *bytes = js_malloc(ctx, max > 0 ? max : 1);
    if (!bytes) return JS_EXCEPTION;
    ssize_t length = read(descriptor, bytes, max);
    JSValue result = length < 0 ? failed(ctx) : JS_NewUint8ArrayCopy(ctx, bytes, length);
    js_free(ctx, bytes);
    return result;
}

FUNCTION(host_write) {
    int descriptor;
    size_t length;
    if (JS_ToInt32(ctx, &descriptor, argv[0])) return JS_EXCEPTION;
    uint8_t *bytes = JS_GetUint8Array(ctx, &length, argv[1]);
    if (!bytes && length) return JS_EXCEPTION;
    if (rehearsing) return JS_UNDEFINED;
    for (size_t done = 0; done < length;) {
        ssize_t wrote = write(descriptor, bytes + done, length - done);
        if (wrote < 0) return failed(ctx);
        done += wrote;
    }
    return JS_UNDEFINED;
}

// Text goes out as UTF-8 without a copy in JavaScript.
FUNCTION(host_print) {
    int descriptor;
    size_t length;
    if (JS_ToInt32(ctx, &descriptor, argv[0])) return JS_EXCEPTION;
    const char *bytes = JS_ToCStringLen(ctx, &length, argv[1]);
    if (!bytes) return JS_EXCEPTION;
    JSValue result = JS_UNDEFINED;
    for (size_t done = 0; done < length && !rehearsing;) {
        ssize_t wrote = write(descriptor, bytes + done, length - done);
        if (wrote < 0) {
            result = failed(ctx);
            break;
        }
        done += wrote;
    }
    JS_FreeCString(ctx, bytes);
    return result;
}

FUNCTION(host_open) {
    int flags = 0;
    const char *path = JS_ToCString(ctx, argv[0]);
    const char *mode = JS_ToCString(ctx, argv[1]);
    if (!path || !mode) return JS_EXCEPTION;
    switch (mode[0]) {
    case 'r': flags = strchr(mode, '+') ? O_RDWR : O_RDONLY; break;
    case 'w': flags = (strchr(mode, '+') ? O_RDWR : O_WRONLY) | O_CREAT | O_TRUNC; break;
    case 'a': flags = (strchr(mode, '+') ? O_RDWR : O_WRONLY) | O_CREAT | O_APPEND; break;
    }
    if (strchr(mode, 'x')) flags |= O_EXCL;
    int descriptor = open(path, flags, 0666);
    JS_FreeCString(ctx, path);
    JS_FreeCString(ctx, mode);
    return answer(ctx, descriptor);
}

FUNCTION(host_close) {
    int descriptor;
    if (JS_ToInt32(ctx, &descriptor, argv[0])) return JS_EXCEPTION;
    return answer(ctx, close(descriptor));
}

FUNCTION(host_stat) {
    struct stat stat_;
    const char *path = JS_ToCString(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    int result = JS_ToBool(ctx, argv[1]) ? stat(path, &stat_) : lstat(path, &stat_);
    JS_FreeCString(ctx, path);
    if (result < 0) return failed(ctx);
    JSValue array = JS_NewArray(ctx);
    double values[] = {
        S_ISREG(stat_.st_mode), S_ISDIR(stat_.st_mode), S_ISLNK(stat_.st_mode), stat_.st_size,
        stat_.st_mtim.tv_sec * 1e3 + stat_.st_mtim.tv_nsec / 1e6,
        stat_.st_ino, stat_.st_nlink,
    };
    for (uint32_t at = 0; at < sizeof values / sizeof *values; at++)
        JS_SetPropertyUint32(ctx, array, at, JS_NewFloat64(ctx, values[at]));
    return array;
}

FUNCTION(host_list) {
    const char *path = JS_ToCString(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    DIR *directory = opendir(path);
    JS_FreeCString(ctx, path);
    if (!directory) return failed(ctx);
    JSValue array = JS_NewArray(ctx);
    uint32_t at = 0;
    for (struct dirent *entry; (entry = readdir(directory));)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            JS_SetPropertyUint32(ctx, array, at++, JS_NewString(ctx, entry->d_name));
    closedir(directory);
    return array;
}

enum { MAKE_DIRECTORY, REMOVE_DIRECTORY, REMOVE_FILE };

static JSValue host_path(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int what) {
    const char *path = JS_ToCString(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    int result = what == MAKE_DIRECTORY ? mkdir(path, 0777)
        : what == REMOVE_DIRECTORY      ? rmdir(path)
                                        : unlink(path);
    JS_FreeCString(ctx, path);
    return answer(ctx, result);
}

FUNCTION(host_rename) {
    const char *from = JS_ToCString(ctx, argv[0]);
    const char *to = JS_ToCString(ctx, argv[1]);
    if (!from || !to) return JS_EXCEPTION;
    int result = rename(from, to);
    JS_FreeCString(ctx, from);
    JS_FreeCString(ctx, to);
    return answer(ctx, result);
}

FUNCTION(host_now) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return JS_NewFloat64(ctx, now.tv_sec * 1e3 + now.tv_nsec / 1e6);
}

FUNCTION(host_sleep) {
    double milliseconds;
    if (JS_ToFloat64(ctx, &milliseconds, argv[0])) return JS_EXCEPTION;
    struct timespec time = {milliseconds / 1e3, 0};
    time.tv_nsec = (milliseconds - time.tv_sec * 1e3) * 1e6;
    nanosleep(&time, NULL);
    return JS_UNDEFINED;
}

FUNCTION(host_random) {
    int length;
    if (JS_ToInt32(ctx, &length, argv[0])) return JS_EXCEPTION;
    uint8_t *bytes = js_malloc(ctx, length > 0 ? length : 1);
    if (!bytes) return JS_EXCEPTION;
    for (int done = 0; done < length; done += 256)
        if (getentropy(bytes + done, length - done < 256 ? length - done : 256)) abort();
    JSValue result = JS_NewUint8ArrayCopy(ctx, bytes, length);
    js_free(ctx, bytes);
    return result;
}

// Not `environ`, which the C library reads before there is a program.
FUNCTION(host_environment) {
    size_t count, size;
    JSValue array = JS_NewArray(ctx);
    if (__wasi_environ_sizes_get(&count, &size) || !count) return array;
    uint8_t **entries = js_malloc(ctx, count * sizeof *entries), *bytes = js_malloc(ctx, size);
    if (!entries || !bytes || __wasi_environ_get(entries, bytes)) return array;
    for (uint32_t at = 0; at < count; at++)
        JS_SetPropertyUint32(ctx, array, at, JS_NewString(ctx, (char *)entries[at]));
    js_free(ctx, entries);
    js_free(ctx, bytes);
    return array;
}

FUNCTION(host_exit) {
    int code;
    if (JS_ToInt32(ctx, &code, argv[0])) return JS_EXCEPTION;
    exit_with_code(code & 0xff);
    __builtin_unreachable();
}

// Runs the jobs of settled promises. Answers false when there are none, throws what one threw.
FUNCTION(host_job) {
    JSContext *of;
    int result = JS_ExecutePendingJob(JS_GetRuntime(ctx), &of);
    return result < 0 ? JS_EXCEPTION : JS_NewBool(ctx, result);
}

// evaluate(source, file, line, isModule)
FUNCTION(host_evaluate) {
    size_t length;
    int line;
    const char *source = JS_ToCStringLen(ctx, &length, argv[0]);
    const char *file = JS_ToCString(ctx, argv[1]);
    if (!source || !file || JS_ToInt32(ctx, &line, argv[2])) return JS_EXCEPTION;
    JSEvalOptions options = {
        .version = JS_EVAL_OPTIONS_VERSION,
        .eval_flags = JS_ToBool(ctx, argv[3]) ? JS_EVAL_TYPE_MODULE : JS_EVAL_TYPE_GLOBAL,
        .filename = file,
        .line_num = line,
    };
    JSValue result = JS_Eval2(ctx, source, length, &options);
    JS_FreeCString(ctx, source);
    JS_FreeCString(ctx, file);
    return result;
}

static const JSCFunctionListEntry HOST[] = {
    JS_CFUNC_DEF("read", 2, host_read),
    JS_CFUNC_DEF("write", 2, host_write),
    JS_CFUNC_DEF("print", 2, host_print),
    JS_CFUNC_DEF("open", 2, host_open),
    JS_CFUNC_DEF("close", 1, host_close),
    JS_CFUNC_DEF("stat", 2, host_stat),
    JS_CFUNC_DEF("list", 1, host_list),
    JS_CFUNC_MAGIC_DEF("makeDirectory", 1, host_path, MAKE_DIRECTORY),
    JS_CFUNC_MAGIC_DEF("removeDirectory", 1, host_path, REMOVE_DIRECTORY),
    JS_CFUNC_MAGIC_DEF("removeFile", 1, host_path, REMOVE_FILE),
    JS_CFUNC_DEF("rename", 2, host_rename),
    JS_CFUNC_DEF("now", 0, host_now),
    JS_CFUNC_DEF("sleep", 1, host_sleep),
    JS_CFUNC_DEF("random", 1, host_random),
    JS_CFUNC_DEF("environment", 0, host_environment),
    JS_CFUNC_DEF("exit", 1, host_exit),
    JS_CFUNC_DEF("job", 0, host_job),
    JS_CFUNC_DEF("evaluate", 4, host_evaluate),
};

static void rejected(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool handled,
                     void *opaque) {
    JSValue hook = JS_GetPropertyStr(ctx, hooks, "rejected");
    JSValueConst arguments[] = {promise, reason, JS_NewBool(ctx, handled)};
    JS_FreeValue(ctx, JS_Call(ctx, hook, JS_UNDEFINED, 3, arguments));
    JS_FreeValue(ctx, hook);
}

static char *normalize(JSContext *ctx, const char *base, const char *name, void *opaque) {
    JSValue hook = JS_GetPropertyStr(ctx, hooks, "resolve");
    JSValue arguments[] = {JS_NewString(ctx, base), JS_NewString(ctx, name)};
    JSValue result = JS_Call(ctx, hook, JS_UNDEFINED, 2, (JSValueConst *)arguments);
    JS_FreeValue(ctx, arguments[0]);
    JS_FreeValue(ctx, arguments[1]);
    JS_FreeValue(ctx, hook);
    const char *text = JS_IsException(result) ? NULL : JS_ToCString(ctx, result);
    char *copy = text ? js_strdup(ctx, text) : NULL;
    if (text) JS_FreeCString(ctx, text);
    JS_FreeValue(ctx, result);
    return copy;
}

static JSValue builtin(JSContext *ctx, const char *name) {
    JSValue hook = JS_GetPropertyStr(ctx, hooks, "builtin");
    JSValue argument = JS_NewString(ctx, name);
    JSValue result = JS_Call(ctx, hook, JS_UNDEFINED, 1, (JSValueConst *)&argument);
    JS_FreeValue(ctx, argument);
    JS_FreeValue(ctx, hook);
    return result;
}

static int fill(JSContext *ctx, JSModuleDef *module) {
    JSAtom atom = JS_GetModuleName(ctx, module);
    const char *name = JS_AtomToCString(ctx, atom);
    JS_FreeAtom(ctx, atom);
    JSValue exports = builtin(ctx, name);
    JS_FreeCString(ctx, name);
    JSPropertyEnum *properties;
    uint32_t count;
    if (JS_GetOwnPropertyNames(ctx, &properties, &count, exports, JS_GPN_STRING_MASK)) return -1;
    for (uint32_t at = 0; at < count; at++) {
        const char *key = JS_AtomToCString(ctx, properties[at].atom);
        JS_SetModuleExport(ctx, module, key, JS_GetProperty(ctx, exports, properties[at].atom));
        JS_FreeCString(ctx, key);
    }
    JS_FreePropertyEnum(ctx, properties, count);
    JS_SetModuleExport(ctx, module, "default", exports);
    return 0;
}

static JSModuleDef *load(JSContext *ctx, const char *name, void *opaque) {
    JSValue exports = builtin(ctx, name);
    if (JS_IsException(exports)) return NULL;
    if (JS_IsString(exports)) { // the source of a file
        size_t length;
        const char *source = JS_ToCStringLen(ctx, &length, exports);
        JSValue module = JS_Eval(ctx, source, length, name,
                                 JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
        JS_FreeCString(ctx, source);
        JS_FreeValue(ctx, exports);
        if (JS_IsException(module)) return NULL;
        JSModuleDef *result = JS_VALUE_GET_PTR(module);
        JS_FreeValue(ctx, module);
        return result;
    }
    JSModuleDef *module = JS_NewCModule(ctx, name, fill);
    JSPropertyEnum *properties;
    uint32_t count;
    if (!module || JS_GetOwnPropertyNames(ctx, &properties, &count, exports, JS_GPN_STRING_MASK))
        return NULL;
    for (uint32_t at = 0; at < count; at++) {
        const char *key = JS_AtomToCString(ctx, properties[at].atom);
        if (strcmp(key, "default")) JS_AddModuleExport(ctx, module, key);
        JS_FreeCString(ctx, key);
    }
    JS_AddModuleExport(ctx, module, "default");
    JS_FreePropertyEnum(ctx, properties, count);
    JS_FreeValue(ctx, exports);
    return module;
}

static void call_hook(const char *name, int argc, JSValueConst *argv, int *code) {
    JSValue hook = JS_GetPropertyStr(context, hooks, name);
    JSValue result = JS_Call(context, hook, JS_UNDEFINED, argc, argv);
    if (!JS_IsException(result)) {
        JS_ToInt32(context, code, result);
    } else {
        const char *text = JS_ToCString(context, JS_GetException(context));
        if (text) write(2, text, strlen(text));
    }
    JS_FreeValue(context, result);
    JS_FreeValue(context, hook);
}

static void rehearse(void) {
    int code = FAILED;
    rehearsing = true;
    call_hook("rehearse", 0, NULL, &code);
    rehearsing = false;
    if (code) abort();
}

// The C library looks for the directories it was given when it is initialized; then there were none.
static void find_directories(void) {
    __wasi_prestat_t given;
    for (__wasi_fd_t at = 3; !__wasi_fd_prestat_get(at, &given); at++) {
        size_t length = given.u.dir.pr_name_len;
        char *name = malloc(length + 1);
        if (!name || __wasi_fd_prestat_dir_name(at, (uint8_t *)name, length)) abort();
        name[length] = 0;
        if (__wasilibc_register_preopened_fd(at, name)) abort();
        free(name);
    }
}

static void set_seeds(void) {
    struct { uint64_t random; uint32_t hash; } seeds;
    if (getentropy(&seeds, sizeof seeds)) abort();
    JS_SetSeeds(context, seeds.random ? seeds.random : 1, seeds.hash);
}

// A collection visits every object there is, so the first comes when the program has made as much as
// would make a fresh engine collect, not with its first object.
static void put_off_collection(JSRuntime *runtime) {
    JSMemoryUsage usage;
    JS_RunGC(runtime);
    JS_ComputeMemoryUsage(runtime, &usage);
    JS_SetGCThreshold(runtime, usage.malloc_size + GARBAGE_BYTES);
}

// Compiling and forgetting leaves holes all over the heap, and the allocator fills those first: each
// page of the snapshot that a run writes to has to be copied. So they are filled for good, the
// largest first, until memory comes from the end of the heap.
static void fill_holes(void) {
    for (size_t size = LARGE_HOLE; size >= SMALL_HOLE; size -= size > 1024 ? size / 2 : SMALL_HOLE) {
        char *volatile made, *top = NULL;
        for (int above = 0; above < ABOVE_ALL;) {
            if (!(made = malloc(size))) abort();
            above = made > top ? above + 1 : 0;
            if (made > top) top = made;
        }
    }
}

EXPORT("initialize")
void initialize(void) {
    JSRuntime *runtime = JS_NewRuntime();
    JS_SetMaxStackSize(runtime, STACK_BYTES);
    context = JS_NewContext(runtime);
    JS_SetHostPromiseRejectionTracker(runtime, rejected, NULL);
    JS_SetModuleLoaderFunc(runtime, normalize, load, NULL);
    JSValue host = JS_NewObject(context);
    JS_SetPropertyFunctionList(context, host, HOST, sizeof HOST / sizeof *HOST);
    JSValue code = JS_ReadObject(context, runner_js, runner_js_len, JS_READ_OBJ_BYTECODE);
    JSValue make = JS_EvalFunction(context, code);
    hooks = JS_Call(context, make, JS_UNDEFINED, 1, (JSValueConst *)&host);
    if (JS_IsException(hooks)) abort();
    JS_FreeValue(context, host);
    JS_FreeValue(context, make);
    for (int times = 0; times < REHEARSED_WHEN_BUILT; times++) rehearse();
    put_off_collection(runtime);
    fill_holes();
    rehearse();
}

EXPORT("prepare")
void prepare(void) {
    rehearse();
}

EXPORT("cabi_realloc")
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
    void *memory = realloc(old, size ? size : 1);
    if (!memory) abort();
    return memory;
}

EXPORT("run")
int run(char *program, size_t program_length, char *name, size_t name_length,
        struct text *arguments, size_t count) {
    find_directories();
    set_seeds();
    JSValue list = JS_NewArray(context);
    for (size_t at = 0; at < count; at++)
        JS_SetPropertyUint32(context, list, at,
                             JS_NewStringLen(context, arguments[at].bytes, arguments[at].length));
    JSValue parameters[] = {
        JS_NewStringLen(context, program, program_length),
        JS_NewStringLen(context, name, name_length),
        list,
    };
    int code = FAILED;
    call_hook("run", 3, (JSValueConst *)parameters, &code);
    // The instance is thrown away, and its memory with it.
    return code & 0xff;
}
