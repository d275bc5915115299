"""K-04: leaves a secret in a keyring of the kernel, where the next program could find it."""
from attempts import attempt, call, report

ADD_KEY, REQUEST_KEY, KEYCTL = 248, 249, 250
JOIN, GET_KEYRING, USER, SESSION = 1, 0, -4, -3
attempt("add to the user's keyring", lambda: call(ADD_KEY, b"user", b"canary", b"secret", 6, USER))
attempt("add to the session's keyring", lambda: call(ADD_KEY, b"user", b"canary", b"x", 1, SESSION))
attempt("request", lambda: call(REQUEST_KEY, b"user", b"canary", 0, USER))
attempt("join a session", lambda: call(KEYCTL, JOIN, b"atoll", 0, 0, 0))
attempt("find the keyring", lambda: call(KEYCTL, GET_KEYRING, SESSION, 1, 0, 0))
attempt("list of keys", lambda: open("/proc/keys").read())
attempt("get a user id", lambda: call(102))
report()
