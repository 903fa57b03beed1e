import { parseObject } from '@millrace/core'
import { open, readFile } from 'node:fs/promises'
import { readDatabase } from './database.ts'
import { isOwnFile, parseLogin, type LoginCredential } from './login-credential.ts'

/** Whose file holds a login: that of a command line, one that the gateway has made, or Kiro's. */
type LoginFileKind = 'database' | 'own' | 'foreign'

const DATABASE_HEAD = 'SQLite format 3\0'

/** What a file is by its content; undefined where there is none. @throws {Error} of the file system */
export async function kindOfFile(path: string): Promise<LoginFileKind | undefined> {
  const head = await readHead(path)
  if (head === undefined || head === DATABASE_HEAD) return head && 'database'
  return isOwnFile(parseObject(await readFile(path, 'utf8')) ?? {}) ? 'own' : 'foreign'
}

/** The login in a file of any kind. @throws {Error} there is none; the message may be shown */
export async function readLogin(path: string): Promise<LoginCredential> {
  if ((await kindOfFile(path)) === 'database') return readDatabase(path)
  const members = parseObject(await readFile(path, 'utf8'))
  if (members === undefined) throw new Error('it is neither a database nor JSON')
  return parseLogin(members)
}

/** As much of a file as a database begins with: databases are large. */
async function readHead(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (file === undefined) return undefined
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(DATABASE_HEAD.length))
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await file.close()
  }
}
