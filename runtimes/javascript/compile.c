// Compiles runner.js to byte code while the runtime is built, so that no run has to.
//
//     compile < runner.js > runner_js.c

#include <stdio.h>
#include <stdlib.h>

#include "quickjs.h"

enum { SOURCE_MAX = 1 << 20 };

int main(void) {
    static char source[SOURCE_MAX];
    size_t length = fread(source, 1, sizeof source - 1, stdin);
    JSContext *context = JS_NewContext(JS_NewRuntime());
    JSValue compiled = JS_Eval(context, source, length, "node:internal",
                               JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY);
    if (JS_IsException(compiled)) {
        JSValue error = JS_GetException(context);
        JSValue stack = JS_GetPropertyStr(context, error, "stack");
        fprintf(stderr, "%s\n%s", JS_ToCString(context, error), JS_ToCString(context, stack));
        return 1;
    }
    size_t size;
    uint8_t *bytes = JS_WriteObject(context, &size, compiled, JS_WRITE_OBJ_BYTECODE);
    if (!bytes) return 1;
    puts("const unsigned char runner_js[] = {");
    for (size_t at = 0; at < size; at++) printf("%u,%s", bytes[at], at % 32 == 31 ? "\n" : "");
    printf("};\nconst unsigned runner_js_len = %zu;\n", size);
    return 0;
}
