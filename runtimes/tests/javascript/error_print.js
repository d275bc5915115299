const e = new Error('shown'); console.log(e.stack.split('\n')[0]); console.log({ e: e.message }, [new Error('in')].length); const w = new Error('outer', { cause: 'why' }); console.log(w.cause);
