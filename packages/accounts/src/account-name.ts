/** What an account may be called: it stands in the log, in messages, on the command line, and in the name of a file. */
export const ACCOUNT_NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$/
export const ACCOUNT_NAME_RULE = 'use 1 to 63 letters, digits, `.`, `_`, `@` and `-`'
