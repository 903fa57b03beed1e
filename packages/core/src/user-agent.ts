import { arch, platform } from 'node:os'

/** Our own name: services that want another program's are told so by `headers`. */
export const USER_AGENT = `Millrace/0.1.0 (${platform()}; ${arch()})`
