export { openCredentials } from './credentials.ts'
export type { Credentials } from './credentials.ts'
export { signIn } from './sign-in.ts'
