/**
 * What `find` gives, or undefined where it fails, and then a line that cannot be overlooked: not every machine has
 * every client. With `CI=true` nothing is skipped.
 * @throws whatever `find` throws, with `CI=true`
 */
export async function orSkip<Found>(client: string, find: () => Promise<Found>): Promise<Found | undefined> {
  try {
    return await find()
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    process.stderr.write(`\n!!! SKIPPED: the tests with ${client}, because ${(error as Error).message}\n\n`)
    return undefined
  }
}
