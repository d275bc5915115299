try { require('not-there'); } catch (e) { console.log(e.code, e.message.split('\n')[0]); }
