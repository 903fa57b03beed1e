import { homedir } from 'node:os'

/** `~/x` as the `x` in the home of the user; every other path as it is. */
export function expandHome(path: string): string {
  return path.replace(/^~(?=\/|\\|$)/, () => homedir())
}
