import { GatewayError, LoginError } from '@millrace/core'

/** A command comes to nothing. `message` says why, to whoever gave it. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** The same action; where it comes to nothing it says why in words, and the process ends with 1. Faults stay faults. */
export function inWords<Arguments extends unknown[]>(
  action: (...given: Arguments) => Promise<void>,
): (...given: Arguments) => Promise<void> {
  return async (...given) => {
    try {
      await action(...given)
    } catch (error) {
      if (!isExpected(error)) throw error
      console.error(error.message)
      process.exitCode = 1
    }
  }
}

/** Whether an error is no fault of the program: what the command, an upstream or the file system cannot do. */
function isExpected(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  return [CommandError, GatewayError, LoginError].some(kind => error instanceof kind) || 'syscall' in error
}
