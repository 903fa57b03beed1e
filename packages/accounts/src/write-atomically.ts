import { randomUUID } from 'node:crypto'
import { open, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** No write takes longer: a temporary file that is older belongs to a process that died. */
const LEFTOVER_MS = 60_000

/**
 * Puts `contents` into a file, so that whoever reads it sees the old or the new contents whole, whatever happens: a
 * temporary file in the same folder, brought to the disk, then renamed. Only the owner can read it (mode 0600). A
 * symbolic link is followed. The folder must exist.
 */
export async function writeAtomically(path: string, contents: string): Promise<void> {
  const target = await realpath(path).catch(() => path)
  const temporary = `${target}.tmp.${randomUUID()}`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(contents)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(dirname(target))
}

/** Brings the new name to the disk too. Where folders cannot be opened for that, the system does it in its own time. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined)
  try {
    await folder?.sync()
  } catch {
    // The file is in place either way.
  } finally {
    await folder?.close()
  }
}

/** Removes what writes of `path` left behind that were killed half-way. */
export async function removeLeftovers(path: string, now: number): Promise<void> {
  const target = await realpath(path).catch(() => path)
  const prefix = `${basename(target)}.tmp.`
  const names = await readdir(dirname(target)).catch(() => [])
  for (const name of names.filter(name => name.startsWith(prefix))) {
    const leftover = join(dirname(target), name)
    const writtenAt = await stat(leftover).then(
      ({ mtimeMs }) => mtimeMs,
      () => Infinity,
    )
    if (now - writtenAt > LEFTOVER_MS) await rm(leftover, { force: true }).catch(() => undefined)
  }
}
