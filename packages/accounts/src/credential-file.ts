import { isObject, parseJson, type JsonObject } from '@millrace/core'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { wordsOf } from './words-of.ts'
import { removeLeftovers, writeAtomically } from './write-atomically.ts'

/** How a credential stands in its file. */
export interface CredentialFormat<Credential> {
  /** What the file holds → the credential. @throws {Error} it is none; the message may be shown */
  parse(members: JsonObject): Credential
  /** The members to write, those that are undefined to be removed; all others that the file has are kept. */
  toMembers(credential: Credential): JsonObject
}

/** There is nothing in the file that can be used. `message` may be shown. */
export class NoCredential extends Error {
  override readonly name = 'NoCredential'
}

export interface CredentialFile<Credential> {
  /**
   * The credential, when the file is another than at the last reading or writing, else undefined: also where there has
   * been one, and now there is something else in its place.
   * @throws {NoCredential}
   */
  readChange(): Promise<{ readonly credential: Credential; readonly writtenAt: number } | undefined>
  /** @throws {Error} of the file system */
  write(credential: Credential): Promise<void>
  /** Whether the file is another than at the last reading or writing. */
  hasChanged(): Promise<boolean>
}

/** Programs that write the file in place may leave it half-written for a moment. */
const READINGS = 3
const READ_AGAIN_MS = 50

/** One credential in a JSON file that other programs may read and write too. */
export function createCredentialFile<Credential>(
  path: string,
  format: CredentialFormat<Credential>,
): CredentialFile<Credential> {
  let seen: string | undefined
  let broken: string | undefined
  let members: JsonObject = {}

  async function readText(): Promise<string | undefined> {
    try {
      return await readFile(path, 'utf8')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return undefined
      throw new NoCredential(`its credential file cannot be read: ${code}`, { cause: error })
    }
  }

  function parse(text: string): Credential {
    const value = parseJson(text)
    if (!isObject(value)) throw new NoCredential('its credential file holds no JSON object')
    const credential = parseMembers(value)
    seen = text
    members = value
    return credential
  }

  function parseMembers(value: JsonObject): Credential {
    try {
      return format.parse(value)
    } catch (error) {
      throw new NoCredential(wordsOf(error), { cause: error })
    }
  }

  return {
    async readChange() {
      for (let reading = 1; ; reading++) {
        const text = await readText()
        if (text === undefined) throw new NoCredential('its credential file is not there')
        if (text === seen) return undefined
        try {
          const { mtimeMs } = await stat(path)
          return { credential: parse(text), writtenAt: mtimeMs }
        } catch (error) {
          if (reading === READINGS) {
            broken = text
            if (seen !== undefined) return undefined
            throw error
          }
          await sleep(READ_AGAIN_MS)
        }
      }
    },
    async write(credential) {
      members = { ...members, ...format.toMembers(credential) }
      const text = `${JSON.stringify(members, undefined, 2)}\n`
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await writeAtomically(path, text)
      seen = text
      await removeLeftovers(path, Date.now())
    },
    async hasChanged() {
      const text = await readText().catch(() => undefined)
      return text !== undefined && text !== seen && text !== broken
    },
  }
}
