/** What to say of something that was thrown. Of the system's errors only the code: their messages name paths. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, syscall } = error as NodeJS.ErrnoException
  return syscall === undefined || code === undefined ? error.message : code
}
