import { arch, platform } from 'node:os'

/** Our own name: who wants to be taken for another program says so by `headers`. */
export const USER_AGENT = `Millrace/0.1.0 (${platform()}; ${arch()})`
